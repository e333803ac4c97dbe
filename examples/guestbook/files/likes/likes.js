// A heart counts without a reload. Where this does not run, its form is sent like any other.
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form.like");
  if (!form) return;
  event.preventDefault();
  const answer = await fetch(form.action, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams(new FormData(form)),
  });
  if (answer.ok) form.querySelector("output").textContent = (await answer.json()).likes;
});
