// The doorbell's sound, made here: two struck tones, a falling third, once every 2.4 s. And the phone's buzz.
//
// A browser lets a page sound only after a first touch. `blocked` says so, and the screen shows a button for it:
// a bell that cannot be heard must be seen.

const EVERY_MS = 2_400;
/** Ding and dong: frequency in Hz, and when after the stroke, s. A5 and F5 carry well from small loudspeakers. */
const TONES = [
  { frequency: 880, after: 0 },
  { frequency: 698.46, after: 0.42 }
] as const;
/** A struck bar's partials: ratio to the fundamental, and loudness. */
const PARTIALS = [
  { ratio: 1, gain: 0.5 },
  { ratio: 2.76, gain: 0.14 },
  { ratio: 5.4, gain: 0.05 }
] as const;
const BUZZ_MS = [400, 200, 400];

export class Bell {
  #context: AudioContext | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #onBlocked: (blocked: boolean) => void;

  constructor(onBlocked: (blocked: boolean) => void) {
    this.#onBlocked = onBlocked;
  }

  /** From any touch: makes the sound ready, so that a later ring needs none. */
  async arm(): Promise<void> {
    const context = this.#ready();
    if (!context) return;
    if (context.state !== 'running') await context.resume().catch(() => undefined);
    if (this.#timer !== undefined) this.#onBlocked(context.state !== 'running');
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#strike(), EVERY_MS);
    this.#strike();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#onBlocked(false);
    buzz(0);
  }

  #ready(): AudioContext | undefined {
    if (!this.#context && typeof AudioContext !== 'undefined') {
      this.#context = new AudioContext();
      this.#context.onstatechange = () => {
        if (this.#timer !== undefined) this.#onBlocked(this.#context?.state !== 'running');
      };
    }
    return this.#context;
  }

  #strike(): void {
    buzz(BUZZ_MS);
    const context = this.#ready();
    const running = context?.state === 'running';
    this.#onBlocked(!running);
    if (!context || !running) return;
    for (const { frequency, after } of TONES) {
      for (const { ratio, gain } of PARTIALS) sound(context, frequency * ratio, gain, context.currentTime + after);
    }
  }
}

/** Before the first touch Chromium only logs an error. */
function buzz(pattern: number | number[]): void {
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(pattern);
}

function sound(context: AudioContext, frequency: number, gain: number, at: number): void {
  const oscillator = context.createOscillator();
  const envelope = context.createGain();
  oscillator.frequency.value = frequency;
  envelope.gain.setValueAtTime(0, at);
  envelope.gain.linearRampToValueAtTime(gain, at + 0.008);
  envelope.gain.exponentialRampToValueAtTime(0.0005, at + 1.3);
  oscillator.connect(envelope).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + 1.35);
}
