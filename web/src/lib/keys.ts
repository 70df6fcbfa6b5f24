// A key for each thing that a form makes (`Idempotency-Key`): the same request, sent again because no answer came or by a
// double click, has the same key, and the server makes one thing. Once it was answered, the next is a new one.

const open = new Map<string, string>();

/** What the same request would be found by. Files are left out: they are read anew when they are chosen again. */
async function contentOf(request: Request): Promise<string | undefined> {
  if (request.method !== 'POST' || request.headers.get('content-type') === 'application/octet-stream') return undefined;
  return `${request.url}\n${await request.clone().text()}`;
}

/** Sends a request, with its key when it makes something. */
export async function sendOnce(request: Request, send: (request: Request) => Promise<Response>): Promise<Response> {
  const content = await contentOf(request);
  if (content === undefined) return send(request);
  const key = open.get(content) ?? crypto.randomUUID();
  open.set(content, key);
  request.headers.set('idempotency-key', key);
  const response = await send(request);
  // what is still under way, was too much or failed may be sent again as the same
  if (response.status < 500 && ![408, 409, 429].includes(response.status)) open.delete(content);
  return response;
}
