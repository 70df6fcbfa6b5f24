// The measuring instruments themselves: what they say on a call that the test makes by hand.
// Runs alone: sound.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { device, launch } from '../support/browser.mjs';
import { fallsSilent, hears, hearsNothing, listen, RESIDENT_HZ, SILENT, VISITOR_HZ } from '../support/sound.mjs';

let browser;
before(async () => (browser = await launch(VISITOR_HZ)));
after(() => browser.close());

/** A page that calls itself: its own microphone comes back over a peer connection. */
async function loopback() {
  const context = await device(browser, 'phone');
  const page = await context.newPage();
  await page.route('http://127.0.0.1:1/', (route) => route.fulfill({ contentType: 'text/html', body: '<title>loop</title>' }));
  await page.goto('http://127.0.0.1:1/');
  await page.evaluate(async () => {
    const [here, there] = [new RTCPeerConnection(), new RTCPeerConnection()];
    here.onicecandidate = ({ candidate }) => there.addIceCandidate(candidate);
    there.onicecandidate = ({ candidate }) => here.addIceCandidate(candidate);
    there.ontrack = ({ streams: [stream] }) => {
      window.player = new Audio();
      window.player.srcObject = stream;
      void window.player.play();
    };
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    window.microphone = stream.getAudioTracks()[0];
    here.addTrack(window.microphone, stream);
    await here.setLocalDescription();
    await there.setRemoteDescription(here.localDescription);
    await there.setLocalDescription();
    await here.setRemoteDescription(there.localDescription);
  });
  return page;
}

test('a voice is heard with its pitch, and silence is silence', async () => {
  const page = await loopback();
  const heard = await hears(page, VISITOR_HZ);
  assert.ok(Math.abs(heard.hertz - VISITOR_HZ) < 40, JSON.stringify(heard));
  await assert.rejects(hears(page, RESIDENT_HZ, 1_000), /expected to hear 1060 Hz/);
  await assert.rejects(hearsNothing(page), /expected silence/);

  await page.evaluate(() => (window.microphone.enabled = false));
  await fallsSilent(page);
  await hearsNothing(page);
  await page.context().close();
});

test('sound that the page does not play aloud is not heard', async () => {
  const page = await loopback();
  await hears(page, VISITOR_HZ);
  await page.evaluate(() => (window.player.muted = true));
  assert.equal((await listen(page)).audible, false);
  await assert.rejects(hears(page, VISITOR_HZ, 1_000));
  await page.context().close();
});

test('a page without a call hears nothing', async () => {
  const context = await device(browser, 'phone');
  const page = await context.newPage();
  const heard = await listen(page, 300);
  assert.ok(heard.level < SILENT && !heard.audible, JSON.stringify(heard));
  await context.close();
});
