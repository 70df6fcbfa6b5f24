// Chromium with a fake camera and microphone. One process for the panels and one for the residents, so that each side
// has a voice of its own.

import { copyFileSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { join } from 'node:path';
import { folder, microphoneFile, watchMedia } from './sound.mjs';

const FLAGS = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  // a machine without a network has loopback only
  '--allow-loopback-in-peer-connection',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** A still of a visitor (drawn in visitor.svg): by its name Chromium takes it for a film of one picture. */
function cameraFile() {
  const file = join(folder, 'visitor.mjpeg');
  copyFileSync(new URL('visitor.jpg', import.meta.url), file);
  return file;
}

/** A film of one picture: a JPEG that a test has made. Its name must be new, for a browser reads it again and again. */
export function filmOf(jpeg, name) {
  const file = join(folder, `${name}.mjpeg`);
  writeFileSync(file, jpeg);
  return file;
}

/** Starts a browser whose microphone plays this pitch, and whose camera sees a visitor or what the test shows it. */
export function launch(hertz, camera = cameraFile()) {
  return chromium.launch({
    executablePath: process.env.KLINKE_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      ...FLAGS,
      `--use-file-for-fake-video-capture=${camera}`,
      `--use-file-for-fake-audio-capture=${microphoneFile(hertz)}`,
      // root has no user namespaces for Chromium's sandbox
      ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
    ],
  });
}

/** Sizes from the design: the panel's portrait screen, a phone, a tablet, a desktop window. */
export const SIZES = {
  panel: { width: 800, height: 1280 },
  phone: { width: 390, height: 844 },
  tablet: { width: 1024, height: 768 },
  desktop: { width: 1280, height: 800 },
};

/** A device with nothing on it: its own storage, cookies and permissions. */
export async function device(browser, size, { theme = 'light', forcedColors = 'none', origin } = {}) {
  const context = await browser.newContext({
    viewport: SIZES[size],
    locale: 'en-GB',
    timezoneId: 'Europe/Oslo',
    colorScheme: theme,
    forcedColors,
    reducedMotion: 'reduce',
    // `--lan` makes its own certificates
    ignoreHTTPSErrors: true,
  });
  if (origin) await context.grantPermissions(['camera', 'microphone'], { origin });
  context.setDefaultTimeout(15_000);
  await context.addInitScript(watchMedia);
  return context;
}
