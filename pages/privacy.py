"""Privacy: what is kept, where, and for how long."""

import streamlit as st

from pages.components.live.ice_servers import ice_servers
from pages.shared import access

PAGE = {"title": "Privacy", "icon": ":material/shield_person:", "group": "About", "order": 42}

#: Streamlit's own lifetimes: of a login's cookie, and of a visit after its page was closed.
COOKIE_DAYS = 30
MINUTES = st.get_option("server.disconnectedSessionTTL") / 60

st.title(PAGE["title"])
st.markdown(
    "A recording of a cough can tell who somebody is and how they are. So it is held in this server's memory while it is needed,"
    " and **written to no disk and no log**."
)
st.subheader("Recordings and their answers")
st.markdown(
    "- **What you record or upload**, on *Analyse a cough*, *Batch* or *Is this dataset sound?*, is decoded, analysed and drawn"
    " in memory. Only you see it and its answers. Another file takes its place when you choose one.\n"
    "- **Live** works on the sound as it comes and forgets it, but for the newest coughs, three minutes in all, so that you can"
    " play and download them. *Clear* forgets these too.\n"
    f"- **When you close the page**, the visit is held for {MINUTES:g} minutes more, so that a connection that was lost can be"
    " taken up again. A few seconds after that all of it is gone from memory. When the server stops, all is gone as well.\n"
    "- **Programs** that send recordings to the JSON API are answered the same way; what they sent is gone with the answer.\n"
    "- **Training here** uses only recordings that are part of this app, and its result is gone with the visit."
)
st.subheader("The microphone")
st.markdown(
    "Your browser asks for it when you press *Record*, or *Open the microphone* on *Live*, and no sooner; other pages never use"
    " it. What you record is sent when the recording ends; on *Live*, as long as the microphone is open."
)
servers = [url for server in ice_servers() for url in server["urls"]]
if servers:
    st.markdown(
        "*Live* connects your browser with this server directly. To find the way, both ask these servers, which see your address"
        " on the internet; one whose name begins with `turn` also passes the sound on, encrypted:"
    )
    st.code("\n".join(servers), language=None)
else:
    st.markdown("*Live* connects your browser with this server directly, and asks no other server for it.")
st.subheader("The log")
st.markdown(
    "For each request the server notes the time, a random number, which kind of request it was, whether it was answered, how"
    " long that took and how many bytes the answer had. No audio, no names of files, no address and no name. The operator"
    " of this server decides how long the log is kept, and may have a web server before it that keeps a log of its own."
)
st.subheader("Cookies")
cookies, rest = (
    "- One that keeps other sites from acting in your name. It is gone when you close the browser.\n",
    "",
)
if "auth" in access.secrets():
    cookies += (
        f"- The login, for {COOKIE_DAYS} days or until you log out: what the service you log in with says of you, such as your"
        " name and e-mail address, signed by this server. It is on your computer, and on this server only as long as a page is"
        " open. Logging out in one tab leaves others open until they are loaded again.\n"
    )
else:
    rest = " nobody logs in here,"
st.markdown(f"{cookies}\nThere are no others,{rest} and nothing is measured of how you use the app.")
st.subheader("Others")
st.markdown(
    "Nothing goes to others. All that a page shows comes from this server: no fonts, maps, advertisements or statistics of other"
    " companies"
    + (", and *Live* alone asks the servers above." if servers else ".")
    + " A link to an article opens the site of its publisher when you click it."
)
