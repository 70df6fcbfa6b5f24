// A key for each thing that a form makes (`Idempotency-Key`): the same request, sent again because no answer came or by a
// double click, has the same key, and the server makes one thing. Once it was answered, the next is a new one.

const open = new Map<string, string>();

/** Where nobody is signed in yet, which takes no key. */
const BEFORE_SIGN_IN = /\/api\/v1\/(session|setup|invitations|panel-pairings)(\/|$)/;

/** Whether a request makes something. Files are left out: they are read anew when they are chosen again. */
const makes = (request: Request) =>
  request.method === 'POST' && request.headers.get('content-type') !== 'application/octet-stream' && !BEFORE_SIGN_IN.test(request.url);

/** Sends a request, with its key when it makes something. */
export async function sendOnce(request: Request, send: (request: Request) => Promise<Response>): Promise<Response> {
  if (!makes(request)) return send(request);
  const content = `${request.url}\n${await request.clone().text()}`;
  const key = open.get(content) ?? crypto.randomUUID();
  open.set(content, key);
  request.headers.set('idempotency-key', key);
  const response = await send(request);
  // what is still under way, was too much or failed may be sent again as the same
  if (response.status < 500 && ![408, 409, 429].includes(response.status)) open.delete(content);
  return response;
}
