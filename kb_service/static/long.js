// A text too long for an address that servers and proxies read stands in the fragment, which none of them sees.
export const MOST_IN_ADDRESS = 1500;

const through = (bytes, stream) => new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer();

export async function packed(said) {
  const bytes = await through(new TextEncoder().encode(JSON.stringify(said)), new CompressionStream("deflate-raw"));
  const letters = Array.from(new Uint8Array(bytes), (one) => String.fromCharCode(one)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// Fails on what was cut on its way.
export async function unpacked(text) {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (one) => one.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(await through(bytes, new DecompressionStream("deflate-raw"))));
}

// To a provider of sign-ins nobody takes a ticket along, and the way back leads to the address alone: it waits in the tab.
const WAITS = "kb-long";

export function leaveFor(then) {
  if (location.hash) sessionStorage.setItem(WAITS, JSON.stringify([then, location.hash]));
}

export function comeBack() {
  try {
    const [then, hash] = JSON.parse(sessionStorage.getItem(WAITS) ?? "[]");
    sessionStorage.removeItem(WAITS);
    const here = location.pathname + location.search;
    if (hash && !location.hash && here.endsWith(then)) history.replaceState(null, "", here + hash);
  } catch {
    // A browser that keeps nothing has nothing to bring back
  }
}
