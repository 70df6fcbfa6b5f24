// A resident's side of a call's media.
//
// Invariants:
// - One offer, made when it rings: video in, audio both ways. Answering only puts the microphone's track in the place
//   that was negotiated (`replaceTrack`), so nothing is negotiated between "Answer" and the first word.
// - Until then nothing is captured: no microphone is asked for, and the place in the stream is empty.
// - A viewer lives for one join token. A new token (after a reconnect) is a new viewer.

export type MediaLink = 'connecting' | 'connected' | 'failed';

export interface ViewerOptions {
  /** Passes the offer to the server; its answer comes back through `answered`. */
  offer(sdp: string): void;
  onLink(link: MediaLink): void;
  connection?: () => RTCPeerConnection;
}

export class Viewer {
  /** What the visitor's panel sends. */
  readonly stream: MediaStream;
  #options: ViewerOptions;
  #connection: RTCPeerConnection;
  #voice: RTCRtpSender;

  constructor(options: ViewerOptions) {
    this.#options = options;
    // No ICE servers: the server itself is the peer, and it is where this page came from.
    this.#connection = (options.connection ?? (() => new RTCPeerConnection({ bundlePolicy: 'max-bundle' })))();
    this.stream = new MediaStream();
    this.#connection.ontrack = ({ track }) => this.stream.addTrack(track);
    this.#connection.onconnectionstatechange = () => this.#report();
    this.#connection.addTransceiver('video', { direction: 'recvonly' });
    this.#voice = this.#connection.addTransceiver('audio', { direction: 'sendrecv' }).sender;
  }

  /** Makes the offer and sends it at once: the server learns this browser's address from its first packets. */
  async start(): Promise<void> {
    try {
      await this.#connection.setLocalDescription();
      const sdp = this.#connection.localDescription?.sdp;
      if (sdp) this.#options.offer(sdp);
    } catch {
      this.#options.onLink('failed');
    }
  }

  async answered(sdp: string): Promise<void> {
    if (this.#connection.signalingState !== 'have-local-offer') return;
    try {
      await this.#connection.setRemoteDescription({ type: 'answer', sdp });
    } catch {
      this.#options.onLink('failed');
    }
  }

  /** Puts a microphone on the line, or takes it off. */
  async speak(microphone: MediaStreamTrack | null): Promise<void> {
    if (this.#connection.signalingState !== 'closed') await this.#voice.replaceTrack(microphone);
  }

  close(): void {
    this.#connection.ontrack = null;
    this.#connection.onconnectionstatechange = null;
    this.#connection.close();
  }

  #report(): void {
    switch (this.#connection.connectionState) {
      case 'connected':
        return this.#options.onLink('connected');
      case 'failed':
      case 'closed':
        return this.#options.onLink('failed');
      default:
        // `disconnected` mends itself or becomes `failed`.
        return this.#options.onLink('connecting');
    }
  }
}

export type MicrophoneResult =
  | { ok: true; stream: MediaStream; track: MediaStreamTrack }
  /** `denied`: the person or the system said no. `absent`: there is none. `insecure`: the page is not on https. */
  | { ok: false; why: 'denied' | 'absent' | 'insecure' };

/** Asks for the microphone: only ever called from "Answer". */
export async function microphone(
  devices: MediaDevices | undefined = navigator.mediaDevices
): Promise<MicrophoneResult> {
  if (!devices) return { ok: false, why: 'insecure' };
  try {
    const stream = await devices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true }
    });
    const track = stream.getAudioTracks()[0];
    return track ? { ok: true, stream, track } : { ok: false, why: 'absent' };
  } catch (error) {
    const denied = error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'SecurityError');
    return { ok: false, why: denied ? 'denied' : 'absent' };
  }
}
