// What the classes of components share that write numbers into a template of HTML: `root` holds it, and `data` what Python sent.
class Panel {
  constructor(root) {
    this.root = root;
  }

  // A text with {condition} replaced.
  say(words) {
    return words.replaceAll("{condition}", this.data.condition);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  all(selector) {
    return this.root.querySelectorAll(selector);
  }

  copy(id) {
    return this.find(`template#${id}`).content.cloneNode(true);
  }
}
