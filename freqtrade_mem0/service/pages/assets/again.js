// Asks for the page again, soon, as long as something on it is marked as not there yet.
"use strict";
(() => {
  const again = () => {
    if (document.querySelector("[data-again]")) setTimeout(() => document.dispatchEvent(new Event("mem0:news")), 1000);
  };
  document.addEventListener("mem0:renewed", again);
  again();
})();
