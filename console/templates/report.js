"use strict";
// The expressions of plots are interpreted, so that the policy of the page need not allow eval.
const plots = JSON.parse(document.getElementById("plots").textContent);
const refuse = () => Promise.reject(new Error("A report loads nothing."));
const options = {
  ast: true,
  actions: false,
  renderer: "svg",
  defaultStyle: false,
  tooltip: { disableDefaultStyle: true },
  loader: { load: refuse, sanitize: refuse, http: refuse, file: refuse },
};
for (const place of document.querySelectorAll("[data-plot]")) {
  vegaEmbed(place, plots[place.dataset.plot], options).then(
    () => place.classList.add("drawn"),
    (error) => {
      console.error(error);
      place.textContent = "This plot could not be drawn; the table holds its numbers.";
    },
  );
}
