/**
 * The panel's camera, microphone and loudspeaker, and its one peer connection.
 *
 * Invariants: the panel never receives a picture (video is offered sendonly), and it plays no sound before a
 * resident has answered (`hear`). Camera and microphone are opened once, before the first call, because a cold
 * camera takes up to a second; a call only borrows them.
 */
import type { CallId } from '../api/wire';

/** What of camera and microphone there is. `ask`: the browser wants to be asked by a touch first. */
export type Equipment = 'opening' | 'ready' | 'ask' | 'denied' | 'no_camera' | 'no_microphone' | 'none';

/** Enough for a face at 720p; the browser goes lower by itself on a slow network. */
const MAX_BITRATE = 1_500_000;
/** How long a call waits for a camera that is still being opened, ms. */
const CAMERA_WAIT_MS = 2_000;
/** How long to wait before a failed connection is offered anew, ms. */
const AGAIN_MS = 1_000;

const PICTURE: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 } };
const SOUND: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export interface MediaEvents {
  equipment(equipment: Equipment): void;
  /** An offer to send to the server. */
  offer(call: CallId, sdp: string): void;
}

interface Session {
  call: CallId;
  connection: RTCPeerConnection;
  again?: ReturnType<typeof setTimeout>;
}

export class PanelMedia {
  readonly #stream = new MediaStream();
  readonly #loudspeaker = new Audio();
  #opened = Promise.resolve();
  #session: Session | undefined;

  constructor(private readonly on: MediaEvents) {
    this.#loudspeaker.muted = true;
  }

  /** The panel's own picture, for the small view. */
  get stream(): MediaStream {
    return this.#stream;
  }

  /** Opens what may be opened without asking; `byTouch` also asks. */
  open(byTouch = false): Promise<void> {
    this.#opened = this.#open(byTouch);
    return this.#opened;
  }

  async #open(byTouch: boolean): Promise<void> {
    if (!byTouch && (await mustAsk())) return this.on.equipment('ask');
    this.on.equipment('opening');
    const both = await capture({ video: PICTURE, audio: SOUND });
    const parts = both instanceof MediaStream ? [both] : [await capture({ video: PICTURE }), await capture({ audio: SOUND })];
    for (const part of parts) if (part instanceof MediaStream) part.getTracks().forEach((track) => this.#adopt(track));
    const denied = parts.some((part) => part instanceof DOMException && part.name === 'NotAllowedError');
    this.on.equipment(this.#equipment(denied));
  }

  #equipment(denied: boolean): Equipment {
    const camera = this.#stream.getVideoTracks().length > 0;
    const microphone = this.#stream.getAudioTracks().length > 0;
    if (camera && microphone) return 'ready';
    if (!camera && !microphone) return denied ? 'denied' : 'none';
    return camera ? 'no_microphone' : 'no_camera';
  }

  #adopt(track: MediaStreamTrack): void {
    for (const old of this.#stream.getTracks()) if (old.kind === track.kind) this.#stream.removeTrack(old);
    this.#stream.addTrack(track);
    // Unplugged while it hangs there: look again for what is left.
    track.addEventListener('ended', () => {
      this.#stream.removeTrack(track);
      void this.open();
    });
  }

  /** Offers picture and sound for a call; again for the same call replaces what was offered before. */
  async publish(call: CallId): Promise<void> {
    this.close();
    const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const session: Session = { call, connection };
    this.#session = session;
    // A camera that is still starting is worth a short wait; one that hangs must not keep the bell from ringing.
    await Promise.race([this.#opened, new Promise((resolve) => setTimeout(resolve, CAMERA_WAIT_MS))]);
    if (session !== this.#session) return;
    const [picture] = this.#stream.getVideoTracks();
    const [sound] = this.#stream.getAudioTracks();
    const video = connection.addTransceiver(picture ?? 'video', {
      direction: 'sendonly',
      streams: [this.#stream],
      sendEncodings: [{ maxBitrate: MAX_BITRATE }],
    });
    connection.addTransceiver(sound ?? 'audio', { direction: 'sendrecv', streams: [this.#stream] });
    preferCodecs(video);
    connection.addEventListener('track', ({ track }) => {
      if (track.kind === 'audio') this.#play(track);
    });
    connection.addEventListener('connectionstatechange', () => {
      if (connection.connectionState !== 'failed' || session !== this.#session) return;
      session.again = setTimeout(() => void this.publish(call), AGAIN_MS);
    });
    await connection.setLocalDescription(await connection.createOffer());
    await keepFrames(video.sender);
    if (session === this.#session) this.on.offer(call, connection.localDescription?.sdp ?? '');
  }

  /** The server's answer to the newest offer. */
  async answer(call: CallId, sdp: string): Promise<void> {
    const connection = this.#session?.call === call ? this.#session.connection : undefined;
    if (connection?.signalingState !== 'have-local-offer') return;
    await connection.setRemoteDescription({ type: 'answer', sdp });
  }

  /** Whether the resident is heard. */
  hear(on: boolean): void {
    this.#loudspeaker.muted = !on;
  }

  /** Whether the media of the call run, or are about to. */
  get alive(): boolean {
    const state = this.#session?.connection.connectionState;
    return state === 'connecting' || state === 'connected';
  }

  /** Loudness, 0 to 1. */
  set volume(volume: number) {
    this.#loudspeaker.volume = volume;
  }

  /** How loud the resident speaks just now, 0 to 1. */
  level(): number {
    if (this.#loudspeaker.muted) return 0;
    const receivers = this.#session?.connection.getReceivers() ?? [];
    const levels = receivers.flatMap((receiver) =>
      receiver.track.kind === 'audio' ? receiver.getSynchronizationSources().map((source) => source.audioLevel ?? 0) : [],
    );
    return Math.max(0, ...levels);
  }

  close(): void {
    clearTimeout(this.#session?.again);
    this.#session?.connection.close();
    this.#session = undefined;
    this.#loudspeaker.srcObject = null;
    this.hear(false);
  }

  #play(track: MediaStreamTrack): void {
    this.#loudspeaker.srcObject = new MediaStream([track]);
    // A kiosk may play; a browser that may not yet does at the visitor's next touch.
    this.#loudspeaker.play().catch(() => {
      const again = () => void this.#loudspeaker.play().catch(() => undefined);
      document.addEventListener('pointerup', again, { once: true });
    });
  }
}

async function capture(wanted: MediaStreamConstraints): Promise<MediaStream | DOMException> {
  try {
    return await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    if (error instanceof DOMException) return error;
    // No `mediaDevices` at all: the page came over plain http from another machine.
    return new DOMException('the page may not use camera and microphone', 'NotAllowedError');
  }
}

async function mustAsk(): Promise<boolean> {
  try {
    const names = ['camera', 'microphone'] as PermissionName[];
    const states = await Promise.all(names.map((name) => navigator.permissions.query({ name })));
    return states.some(({ state }) => state === 'prompt');
  } catch {
    return false;
  }
}

/** H.264 baseline first: it is what every phone and door station can take. VP8 second. */
function preferCodecs(video: RTCRtpTransceiver): void {
  const codecs = RTCRtpSender.getCapabilities('video')?.codecs;
  if (!codecs) return;
  const rank = ({ mimeType, sdpFmtpLine = '' }: RTCRtpCodec): number => {
    const type = mimeType.toLowerCase();
    if (type === 'video/h264') return /profile-level-id=42e01f/i.test(sdpFmtpLine) && /packetization-mode=1/.test(sdpFmtpLine) ? 0 : 2;
    return type === 'video/vp8' ? 1 : 3;
  };
  video.setCodecPreferences(codecs.toSorted((a, b) => rank(a) - rank(b)));
}

/** On a slow network the picture gets smaller before it begins to jerk: a face is told by its movement. */
async function keepFrames(sender: RTCRtpSender): Promise<void> {
  const parameters = sender.getParameters();
  await sender.setParameters({ ...parameters, degradationPreference: 'maintain-framerate' } as RTCRtpSendParameters);
}
