"use strict";
const totals = document.getElementById("totals");
const events = new EventSource("/api/events");
events.addEventListener("sample", (message) => {
  const sample = JSON.parse(message.data);
  totals.textContent = `${sample.alive} alive, ${sample.leave} in leave`;
});
events.addEventListener("error", () => { totals.textContent = "not connected"; });
