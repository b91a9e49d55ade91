"""Tables and arrays to Plotly figures; pure functions."""

import html

#: Okabe and Ito's colours, told apart by people with any common colour vision. Colour is never the only signal.
COLOURS = {"negative": "#0072b2", "positive": "#d55e00", "this": "#009e73"}


def text(name):
    """A name for where Plotly reads HTML.

    Parameters
    ----------
    name : object
        What somebody called a recording, a person or a source.

    Returns
    -------
    str
        It is shown as it is, whatever markup it holds.
    """
    return html.escape(str(name), quote=False)
