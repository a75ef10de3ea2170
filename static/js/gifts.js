// How many characters are left; the form works without it.
for (const place of document.querySelectorAll("[data-counter]")) {
  const field = document.getElementById(place.dataset.counter);
  const show = () => { place.textContent = `${[...field.value].length}/${field.maxLength}`; };
  field.addEventListener("input", show);
  show();
}
