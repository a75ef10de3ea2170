// Runs before the body is read. A script like this waits for the style sheets above it, and the page
// for the script: so the page is not shown before base.css has said that it takes part in the
// transition from the page before, which would end as an error in the console.
addEventListener("pagereveal", (event) => event.viewTransition?.ready.catch(() => {}));
