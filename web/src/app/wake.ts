// Keeps the screen on while it rings and during a call: a phone that goes to sleep takes the microphone along.

export class Wake {
  #wanted = false;
  #lock: WakeLockSentinel | undefined;

  want(wanted: boolean): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    void this.refresh();
  }

  /** Takes the lock again after the page was hidden, which lets go of it. */
  async refresh(): Promise<void> {
    if (!this.#wanted) {
      await this.#lock?.release();
      this.#lock = undefined;
      return;
    }
    if (document.visibilityState !== 'visible' || (this.#lock && !this.#lock.released)) return;
    try {
      this.#lock = await navigator.wakeLock?.request('screen');
      // The wish may have gone while the browser thought about it.
      if (!this.#wanted) await this.#lock?.release();
    } catch {
      // Low battery or not supported: the call goes on without.
    }
  }
}
