// One stream of news for all pages of this browser: a shared worker holds it, and tells each page.
// A browser without shared workers runs this in the page itself.
"use strict";
(() => {
  const AGAIN_MS = 10000;
  const pages = new Set();
  let source = null;
  let address = "";
  let last = "";
  let state = "connecting";
  let waits = null;

  const tell = (said) => pages.forEach((page) => page(said));
  const become = (said) => { state = said; tell({ state }); };
  const open = () => {
    waits = null;
    if (source || !pages.size) return;
    source = new EventSource(last ? `${address}?after=${encodeURIComponent(last)}` : address);
    source.onopen = () => become("live");
    source.onmessage = (event) => { last = event.lastEventId; tell({ news: event.data }); };
    source.onerror = () => {
      become("connecting");
      if (source?.readyState !== EventSource.CLOSED) return;  // the browser tries again by itself
      source = null;
      waits ??= setTimeout(open, AGAIN_MS);
    };
  };
  const enter = (page, where) => { address = where; pages.add(page); page({ state }); open(); };
  const leave = (page) => {
    pages.delete(page);
    if (!pages.size && source) { source.close(); source = null; state = "connecting"; }
  };

  if (typeof SharedWorkerGlobalScope === "undefined") {
    globalThis.mem0News = { enter, leave };
    return;
  }
  globalThis.onconnect = ({ ports: [port] }) => {
    const page = (said) => port.postMessage(said);
    port.onmessage = ({ data }) => (data.address ? enter(page, data.address) : leave(page));
  };
})();
