import { encode } from 'uqr';
import { decodeQR } from 'qr/decode.js';
import { describe, expect, it } from 'vitest';
import { ANSWER_MS, EMPTY, enter, erase, hear, LONGEST, SAME_MS, see, tick, type, unsent, type Desk } from './desk';

const typed = (digits: string, desk: Desk = EMPTY) => [...digits].reduce(type, desk);
const asked = () => enter(typed('123456'), 'r1', 0)[0];

describe('a code', () => {
  it('is asked when it is whole, and not before', () => {
    expect(enter(typed('12345'), 'r1', 0)[1]).toBeUndefined();
    const [desk, pass] = enter(typed('123456'), 'r1', 0);
    expect(pass).toEqual({ kind: 'code', digits: '123456' });
    expect(desk.asked?.request).toBe('r1');
  });

  it('takes digits only, as many as a code has, and gives them back one by one', () => {
    expect(typed('12x3').digits).toBe('123');
    expect(typed('1234567890').digits).toHaveLength(LONGEST);
    expect(erase(typed('123')).digits).toBe('12');
  });

  it('is asked once at a time', () => {
    expect(enter(asked(), 'r2', 1)[1]).toBeUndefined();
    expect(see(asked(), 'KLINKE:A', 'r2', 1)[1]).toBeUndefined();
    expect(type(asked(), '7')).toEqual(asked());
  });

  it('that is wrong is said and forgotten', () => {
    const desk = hear(asked(), { type: 'error', code: 'not_found', request: 'r1' }, 10);
    expect(desk).toMatchObject({ digits: '', said: 'wrong_code', asked: undefined });
  });

  it('waits as long as the server says, and keeps what was typed', () => {
    const desk = hear(asked(), { type: 'error', code: 'slow_down', request: 'r1', wait_ms: 4_000 }, 10);
    expect(desk).toMatchObject({ digits: '123456', waitUntil: 4_010 });
    expect(enter(desk, 'r2', 4_009)[1]).toBeUndefined();
    expect(enter(tick(desk, 4_010), 'r2', 4_010)[1]).toBeDefined();
  });

  it('without an answer is told so, and an answer to another question changes nothing', () => {
    expect(hear(asked(), { type: 'error', code: 'not_found', request: 'other' }, 10)).toEqual(asked());
    expect(tick(asked(), ANSWER_MS - 1).asked).toBeDefined();
    expect(tick(asked(), ANSWER_MS)).toMatchObject({ asked: undefined, said: 'unanswered' });
    expect(unsent(asked())).toMatchObject({ asked: undefined, said: 'offline' });
  });

  it('is used up when the door is told of', () => {
    const sending = hear(asked(), { type: 'pass', request: 'r1', door_name: 'A', state: 'sending' }, 10);
    expect(sending.asked).toBeDefined();
    expect(hear(sending, { type: 'pass', request: 'r1', door_name: 'A', state: 'open', for_ms: 5_000 }, 20)).toMatchObject({ asked: undefined, digits: '' });
  });
});

describe('a pass before the camera', () => {
  it('is asked once, however long it stays there', () => {
    let [desk, pass] = see(EMPTY, 'KLINKE:A', 'r1', 0);
    expect(pass).toEqual({ kind: 'qr', text: 'KLINKE:A' });
    desk = hear(desk, { type: 'error', code: 'not_found', request: 'r1' }, 100);
    expect(desk.said).toBe('wrong_pass');
    for (let now = 200; now < 4 * SAME_MS; now += 200) {
      [desk, pass] = see(desk, 'KLINKE:A', 'r2', now);
      expect(pass).toBeUndefined();
    }
    // shown anew
    expect(see(desk, 'KLINKE:A', 'r3', 6 * SAME_MS)[1]).toBeDefined();
    expect(see(desk, 'KLINKE:B', 'r3', 4 * SAME_MS)[1]).toBeDefined();
  });

  it('is not sent when it is another QR code', () => {
    const [desk, pass] = see(EMPTY, 'https://example.org', 'r1', 0);
    expect(pass).toBeUndefined();
    expect(desk.said).toBe('other_code');
  });

  it('does not wait for wrong codes', () => {
    const waiting = { ...EMPTY, waitUntil: 10_000 };
    expect(see(waiting, 'KLINKE:A', 'r1', 0)[1]).toBeDefined();
  });

  it('is read as it was drawn, by a program that others wrote', () => {
    const text = `KLINKE:${'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.repeat(2).slice(0, 52)}`;
    const modules = encode(text, { ecc: 'M', border: 4 }).data;
    const scale = 4;
    const side = modules.length * scale;
    const data = new Uint8ClampedArray(side * side * 4).fill(255);
    for (let y = 0; y < side; y += 1) {
      for (let x = 0; x < side; x += 1) {
        if (modules[Math.floor(y / scale)]?.[Math.floor(x / scale)]) data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
      }
    }
    expect(decodeQR({ width: side, height: side, data })).toBe(text);
  });
});
