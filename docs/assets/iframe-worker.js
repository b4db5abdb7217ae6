// Lets the search of this site work where it is opened from a folder: browsers refuse workers to
// pages of file:, so the worker's script runs in a hidden frame that speaks as a worker does.
"use strict";
if (location.protocol === "file:") {
  // The theme's script looks for this name to learn that it runs in a frame.
  window.IFrameWorker = class extends EventTarget {
    #frame = document.createElement("iframe");
    #waiting = [];

    constructor(address) {
      super();
      this.#frame.hidden = true;
      document.documentElement.append(this.#frame);
      const inside = this.#frame.contentWindow;
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      inside.importScripts = (...addresses) => addresses.reduce(
        (before, each) => before.then(() => this.#load(each)), Promise.resolve());
      this.#load(address).then(() => {
        const waited = this.#waiting;
        this.#waiting = null;
        waited.forEach((data) => this.postMessage(data));
      }, () => this.dispatchEvent(new ErrorEvent("error", { filename: String(address) })));
    }

    #load(address) {
      const script = this.#frame.contentDocument.createElement("script");
      script.src = address;
      return new Promise((done, failed) => {
        script.onload = done;
        script.onerror = failed;
        this.#frame.contentDocument.body.append(script);
      });
    }

    // What is sent before the script has loaded waits for it, as with a worker.
    postMessage(data) {
      if (this.#waiting) this.#waiting.push(data);
      else this.#frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
    }

    terminate() { this.#frame.remove(); }
  };
  window.Worker = window.IFrameWorker;
}
