import { describe, expect, it } from 'vitest';
import { sendOnce } from './keys';

const post = (body: string) => new Request('https://door.example/api/v1/buildings', { method: 'POST', body });

/** The key that a request is sent with, when it is answered like this (0: no answer comes). */
async function keyOf(request: Request, status: number): Promise<string | null> {
  let key: string | null = null;
  const sent = sendOnce(request, async (one) => {
    key = one.headers.get('idempotency-key');
    if (status === 0) throw new TypeError('no network');
    return new Response(null, { status });
  });
  await sent.catch(() => undefined);
  return key;
}

describe('keys of requests', () => {
  it('stay the same until an answer came', async () => {
    const first = await keyOf(post('{"name":"a"}'), 0);
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(await keyOf(post('{"name":"a"}'), 503)).toBe(first);
    expect(await keyOf(post('{"name":"a"}'), 201)).toBe(first);
    expect(await keyOf(post('{"name":"a"}'), 201)).not.toBe(first);
  });

  it('differ with what is sent', async () => {
    const first = await keyOf(post('{"name":"b"}'), 0);
    expect(await keyOf(post('{"name":"c"}'), 0)).not.toBe(first);
    expect(await keyOf(post('{"name":"b"}'), 422)).toBe(first);
  });

  it('go with what makes something and nothing else', async () => {
    expect(await keyOf(new Request('https://door.example/api/v1/buildings'), 200)).toBeNull();
    const file = { method: 'POST', body: 'x', headers: { 'content-type': 'application/octet-stream' } };
    expect(await keyOf(new Request('https://door.example/api/v1/imports', file), 201)).toBeNull();
  });
});
