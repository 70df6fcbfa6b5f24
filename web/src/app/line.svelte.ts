// The media of one call on this device, for one join token.

import { type MediaLink, Viewer } from '../lib/rtc';

/** How long a line may take before it counts as failed: some browsers stay at `new` for ever and say nothing. */
const CONNECT_MS = 10_000;

export class Line {
  readonly join: string;
  link = $state<MediaLink>('connecting');
  /** A first frame of the visitor was shown. */
  picture = $state(false);
  #viewer: Viewer;
  #deadline: ReturnType<typeof setTimeout>;

  constructor(join: string, offer: (sdp: string) => void, onFailed: () => void) {
    this.join = join;
    const fail = () => {
      clearTimeout(this.#deadline);
      if (this.link === 'failed') return;
      this.link = 'failed';
      onFailed();
    };
    this.#deadline = setTimeout(fail, CONNECT_MS);
    this.#viewer = new Viewer({
      offer,
      onLink: (link) => {
        if (link === 'failed') return fail();
        if (link === 'connected') clearTimeout(this.#deadline);
        this.link = link;
      }
    });
    void this.#viewer.start();
  }

  get stream(): MediaStream {
    return this.#viewer.stream;
  }

  answered(sdp: string): void {
    void this.#viewer.answered(sdp);
  }

  speak(microphone: MediaStreamTrack | null): void {
    void this.#viewer.speak(microphone);
  }

  close(): void {
    clearTimeout(this.#deadline);
    this.#viewer.close();
  }
}
