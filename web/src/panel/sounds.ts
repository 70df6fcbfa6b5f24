/**
 * The panel's own sounds, made of plain tones. Each tells what the screen shows at the same moment, so that
 * neither sight nor hearing is needed to follow a call.
 */
import type { PanelState } from './state';

export type Sound = 'key' | 'calling' | 'connected' | 'open' | 'refused' | 'no_answer' | 'ended' | 'warning';

/** Frequency in Hz, begin and length in s, loudness 0 to 1. */
type Tone = readonly [hertz: number, at: number, length: number, loudness: number];

const SOUNDS: Readonly<Record<Sound, readonly Tone[]>> = {
  key: [[880, 0, 0.04, 0.25]],
  // The two notes of a door bell, far away.
  calling: [[659, 0, 0.5, 0.5], [523, 0.45, 0.8, 0.5]],
  connected: [[523, 0, 0.12, 0.5], [784, 0.12, 0.25, 0.5]],
  // Rising: the only sound of the panel that ends high.
  open: [[523, 0, 0.16, 0.7], [659, 0.14, 0.16, 0.7], [784, 0.28, 0.16, 0.7], [1047, 0.42, 0.7, 0.8]],
  refused: [[330, 0, 0.22, 0.6], [247, 0.26, 0.45, 0.6]],
  no_answer: [[523, 0, 0.25, 0.5], [440, 0.3, 0.25, 0.5], [349, 0.6, 0.5, 0.5]],
  ended: [[523, 0, 0.15, 0.4], [392, 0.16, 0.3, 0.4]],
  warning: [[740, 0, 0.12, 0.4], [740, 0.2, 0.12, 0.4]],
};

/** Time between two strokes of the bell while a call rings, ms. */
export const CALLING_EVERY_MS = 4_000;
/** The talk warns this long before its time is over, ms. */
export const LAST_WORDS_MS = 10_000;

/** What a change of state sounds like. */
export function soundOf(before: PanelState, after: PanelState): Sound | undefined {
  const opening = after.opening?.is;
  if (opening !== before.opening?.is && (opening === 'open' || opening === 'refused')) return opening;
  if (after.warned && !before.warned) return 'warning';
  if (before.large !== after.large && after.awake) return 'key';
  const was = before.visit;
  const is = after.visit;
  if (was.at === is.at) return undefined;
  if (is.at === 'calling' && was.at !== 'connected') return 'calling';
  if (is.at === 'connected') return 'connected';
  if (is.at !== 'over') return undefined;
  if (is.ending === 'resident_hung_up' || is.ending === 'time_limit') return 'ended';
  return is.ending === 'opened' ? undefined : 'no_answer';
}

export class Speaker {
  #context: AudioContext | undefined;

  /** Plays at once; what a browser does not allow yet is left out. */
  play(sound: Sound): void {
    this.#context ??= new AudioContext();
    const context = this.#context;
    if (context.state === 'suspended') void context.resume();
    for (const [hertz, at, length, loudness] of SOUNDS[sound]) {
      const begin = context.currentTime + at;
      const tone = context.createOscillator();
      const loud = context.createGain();
      tone.type = 'triangle';
      tone.frequency.value = hertz;
      loud.gain.setValueAtTime(0, begin);
      loud.gain.linearRampToValueAtTime(loudness * 0.4, begin + 0.01);
      loud.gain.exponentialRampToValueAtTime(0.001, begin + length);
      tone.connect(loud).connect(context.destination);
      tone.start(begin);
      tone.stop(begin + length);
    }
  }
}
