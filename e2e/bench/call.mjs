// One run of `./bench first-frame`: calls through the real pages in Chromium, timed inside the pages.
//
// - ring: the tap on the panel's button → the call is on the screen of both residents' apps;
// - frame: the app makes its WebRTC offer → the first decoded frame of the visitor's picture is presented.
//
// Prints one line of JSON. The pages' clocks are of one machine, so moments of different pages can be compared.

import { device, launch } from '../support/browser.mjs';
import { App } from '../support/app.mjs';
import { Demo } from '../support/demo.mjs';
import { Panel } from '../support/panel.mjs';
import { RESIDENT_HZ, VISITOR_HZ } from '../support/sound.mjs';
import { t } from '../support/texts.mjs';
import { Town } from '../support/town.mjs';

const CALLS = 20;
/** Of these the first is not counted: browsers load what they need at the first call. */
const COLD = 1;

/** Notes, in the page, when what happens. Runs before the page's own scripts. */
function stopwatch() {
  const at = () => performance.timeOrigin + performance.now();
  const moments = { tapped: 0, shown: 0, offered: 0, connected: 0, framed: 0 };
  window.benchMoments = moments;
  addEventListener('pointerup', () => (moments.tapped = at()), { capture: true });
  const offer = RTCPeerConnection.prototype.createOffer;
  const local = RTCPeerConnection.prototype.setLocalDescription;
  const noteOffer = (connection) => {
    moments.offered ||= at();
    connection.addEventListener('connectionstatechange', () => {
      if (connection.connectionState === 'connected') moments.connected ||= at();
    });
  };
  RTCPeerConnection.prototype.createOffer = function (...words) {
    noteOffer(this);
    return offer.apply(this, words);
  };
  RTCPeerConnection.prototype.setLocalDescription = function (...words) {
    noteOffer(this);
    return local.apply(this, words);
  };
  const watched = new WeakSet();
  new MutationObserver(() => {
    const dialog = document.querySelector('dialog[open], [role=dialog]');
    if (!dialog) return;
    moments.shown ||= at();
    for (const video of dialog.querySelectorAll('video')) {
      if (watched.has(video)) continue;
      watched.add(video);
      video.requestVideoFrameCallback((now) => (moments.framed ||= performance.timeOrigin + now));
    }
  }).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ['open'] });
}

const forget = (page) => page.evaluate(() => Object.keys(window.benchMoments).forEach((key) => (window.benchMoments[key] = 0)));
const moments = (page) => page.evaluate(() => window.benchMoments);

function figures(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  return { n: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

const demo = await Demo.start();
const browsers = await Promise.all([launch(VISITOR_HZ), launch(RESIDENT_HZ)]);
try {
  const [visitors, residents] = browsers;
  const page = async (browser, size) => {
    const context = await device(browser, size, { origin: demo.origin });
    await context.addInitScript(stopwatch);
    return context.newPage();
  };
  const office = await residents.newContext();
  const bell = (await Town.read(demo, office.request)).bell('parallel', 2);
  await office.close();
  const panel = new Panel(await page(visitors, 'panel'), bell.panel);
  await panel.open();
  const apps = [];
  for (const resident of bell.residents) {
    const app = new App(await page(residents, 'phone'), resident);
    await app.signIn(demo.told.app_url);
    apps.push(app);
  }

  const rings = [];
  const frames = [];
  // where the time to the first frame goes: each side's own connection, and the app's wait after it
  const [panelConnects, appConnects, waits] = [[], [], []];
  for (let call = 0; call < CALLS + COLD; call += 1) {
    await Promise.all([panel, ...apps].map(({ page }) => forget(page)));
    await panel.ring(bell);
    for (const app of apps) {
      await app.rings();
      await app.page.waitForFunction(() => window.benchMoments.framed > 0);
    }
    const seen = await Promise.all(apps.map((app) => moments(app.page)));
    const visitor = await moments(panel.page);
    if (call >= COLD) {
      rings.push(Math.max(...seen.map(({ shown }) => shown)) - visitor.tapped);
      frames.push(...seen.map(({ framed, offered }) => framed - offered));
      panelConnects.push(visitor.connected - visitor.tapped);
      appConnects.push(...seen.map(({ connected, offered }) => connected - offered));
      waits.push(...seen.map(({ framed, connected }) => framed - Math.max(connected, visitor.connected)));
    }
    await panel.cancel();
    await panel.backToNames();
    for (const app of apps) {
      await app.call.getByRole('button', { name: t('common-close') }).click();
      await app.isHome();
    }
  }
  console.log(
    JSON.stringify({
      ring_ms: figures(rings),
      frame_ms: figures(frames),
      panel_tap_to_connected_ms: figures(panelConnects),
      app_offer_to_connected_ms: figures(appConnects),
      both_connected_to_frame_ms: figures(waits),
    }),
  );
} catch (error) {
  console.error(demo.log);
  throw error;
} finally {
  await Promise.all(browsers.map((browser) => browser.close()));
  await demo.stop();
}
