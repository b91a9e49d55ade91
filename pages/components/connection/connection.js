// Watches the connection of the page to the server. See __init__.py for what it is for.
const WHY = "The server was restarted, or this page was out of its reach for too long.";
const GONE = "What the server held of your visit until then (recordings, answers, lists, training) is gone";
const MESSAGES = {
  lost:
    "The connection to the server is lost. This page tries to connect again by itself; until then it can be read, but not used. If" +
    " that takes minutes, the server or your network is down: come back later.",
  broken: "The connection to the server has ended with an error. Reload the page to go on.",
  old: `${WHY} ${GONE}: what you see can still be read, but not used or downloaded. Reload the page to go on.`,
  anew: `${WHY} So this page began anew. ${GONE}; the choices in the page's address were kept.`,
};
const RELOAD = "Reload the page";
const CLOSE = "Close";
const STATE = "data-test-connection-state";
// What would be gone if the page were loaded again: what a page marks as kept by the visit, files, and recordings.
const KEPT = [
  ".st-key-kept-by-the-visit",
  "[data-testid=stFileChip]",
  "[data-testid=stAudioInput] [aria-label='Stop recording']",
  "[data-testid=stAudioInput] [aria-label='Clear recording']",
].join();
// Kept by the browser when the page is loaded again: the page says why.
const NOTE = "coughlab-loaded-again";
// A shorter break is not reported, in milliseconds.
const BRIEF = 1000;

export default function ({ data, parentElement, setTriggerValue }) {
  const watch = (parentElement.watch ??= new Watch(parentElement.querySelector("section")));
  watch.trigger = setTriggerValue;
  watch.take(data.visit);
  watch.start();
  return () => watch.observer.disconnect();
}

class Watch {
  constructor(banner) {
    this.banner = banner;
    this.app = document.querySelector("[data-testid=stApp]");
    this.isConnected = true;
    this.observer = new MutationObserver(() => this.look());
    if (noted()) this.sayAnew();
  }

  start() {
    this.observer.observe(this.app, { attributes: true, attributeFilter: [STATE] });
    // Streamlit shows its dialogs at the end of the page.
    this.observer.observe(document.body, { childList: true });
    this.look();
  }

  // Called with the visit that has drawn the page.
  take(visit) {
    if (this.visit && this.visit !== visit) {
      // The new visit has drawn the page: because somebody who has read the message used it all the same, perhaps with a new
      // file, which is kept; or because it updates itself. What is in a frame does not know of the new visit.
      if (this.message === "old" && !document.querySelector("iframe")) this.sayAnew();
      else this.loadAgain();
    }
    this.visit = visit;
  }

  look() {
    const state = this.app.getAttribute(STATE);
    // Streamlit's own message is about a program that was started in a terminal. Ours says the same to a visitor.
    if (state !== "CONNECTED") document.querySelector("[data-testid=stDialog] [aria-label=Close]")?.click();
    if (state === "DISCONNECTED_FOREVER") {
      clearTimeout(this.timer);
      this.say("broken", RELOAD, () => location.reload());
    } else if ((state === "CONNECTED") !== this.isConnected) {
      this.isConnected = state === "CONNECTED";
      clearTimeout(this.timer);
      if (this.isConnected) this.resume();
      else this.timer = setTimeout(() => this.say("lost"), BRIEF);
    }
  }

  async resume() {
    const asked = this.visit;
    let answer;
    try {
      // The server may be below a path, as its scripts are.
      const script = document.querySelector("script[src*='static/js/']").src;
      const response = await fetch(new URL(`../../visit/${asked}`, script));
      answer = await response.json();
    } catch {
      // The connection is lost again, or the server does not know this question.
      answer = null;
    }
    if (!this.isConnected || this.visit !== asked) return;
    if (answer?.open) {
      this.say(null);
      // Runs the page, which takes what was chosen meanwhile: our own components could be used, Streamlit's could not.
      this.trigger("resumed", Date.now());
    } else if (document.querySelector(KEPT)) this.say("old", RELOAD, () => location.reload());
    else this.loadAgain();
  }

  loadAgain() {
    note();
    location.reload();
  }

  sayAnew() {
    this.say("anew", CLOSE, () => this.say(null));
  }

  say(message, action, act) {
    this.message = message;
    this.banner.querySelector("p").textContent = MESSAGES[message] ?? "";
    const button = this.banner.querySelector("button");
    button.hidden = !action;
    button.textContent = action ?? "";
    button.onclick = act;
    this.banner.hidden = message === null;
    // Above all else; a browser that cannot do this shows it all the same.
    this.banner.togglePopover?.(message !== null);
  }
}

// A browser may refuse storage to a page in the frame of another site: then nothing is said after the page was loaded again.
function note() {
  try {
    sessionStorage.setItem(NOTE, "yes");
  } catch {}
}

function noted() {
  try {
    const found = sessionStorage.getItem(NOTE);
    sessionStorage.removeItem(NOTE);
    return found !== null;
  } catch {
    return false;
  }
}
