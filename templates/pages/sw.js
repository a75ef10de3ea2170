{% autoescape off %}// Keeps hashed static files and one offline page. Never a member's page, never an API answer.
const CACHE = "{{ cache }}";
const FILES = {{ files }};
const STATIC = "{{ static_url }}";
const KEEPS_STATIC = {{ is_hashed|yesno:"true,false" }};

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(["/offline", ...FILES])).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (url.pathname.startsWith(STATIC)) {
    event.respondWith(staticFile(request));
  } else if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match("/offline")));
  }
});

async function staticFile(request) {
  const kept = await caches.match(request);
  if (kept && KEEPS_STATIC) return kept;
  try {
    const answer = await fetch(request);
    if (answer.ok && KEEPS_STATIC) (await caches.open(CACHE)).put(request, answer.clone());
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}
{% endautoescape %}
