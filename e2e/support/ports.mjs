// Ports for programs of others, which take them only after we looked.

import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** This machine. */
export const HOST = '127.0.0.1';

/** Whether nobody listens at a port, by UDP or TCP. */
async function isFree(port, host) {
  const server = createServer();
  const listens = await new Promise((resolve) => server.once('error', () => resolve(false)).listen(port, host, () => resolve(true)));
  if (!listens) return false;
  server.close();
  await once(server, 'close');
  const socket = createSocket('udp4');
  const bound = await new Promise((resolve) => socket.once('error', () => resolve(false)).bind(port, host, () => resolve(true)));
  socket.close();
  return bound;
}

/**
 * A port of UDP and TCP that nobody has, and the next one: baresip ends when it can not have that for TLS. A program takes it only
 * after we looked, so it is below those that the system gives to whoever asks for any: connections come and go there all the time.
 */
export async function freePort(host = HOST) {
  for (;;) {
    const port = randomInt(10_000, 20_000);
    if ((await isFree(port, host)) && (await isFree(port + 1, host))) return port;
  }
}
