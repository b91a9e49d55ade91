"""Tables and arrays to Plotly figures; pure functions."""

#: Okabe and Ito's colours, told apart by people with any common colour vision. Colour is never the only signal.
COLOURS = {"not_covid": "#0072b2", "covid": "#d55e00", "this": "#009e73"}
