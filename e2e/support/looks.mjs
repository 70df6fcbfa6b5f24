// How a screen looks and whether everybody can use it.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { t } from './texts.mjs';
import { SCREENS } from './world.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Fails when axe finds anything on the screen (WCAG 2.2 A and AA). */
export async function usableByAll(page, name, theme) {
  // evaluated, not added as a script: the pages' content security policy allows no other script
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const found = await page.evaluate(
    async (rules) => {
      const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
      const { violations } = await window.axe.run({ runOnly, rules, resultTypes: ['violations'] });
      // only what is wrong: to hand over all that passed takes longer than to look
      return violations.map(({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.map(({ html }) => html).join('\n    ')}`);
    },
    // the browser paints chosen colours, but tells scripts the page's own backgrounds
    { 'color-contrast': { enabled: theme !== 'forced' } },
  );
  if (found.length > 0) throw new Error(`${name}, ${theme}\n  ${found.join('\n  ')}`);
}

/**
 * Keeps a picture of a screen: e2e/screens/NAME-THEME.png.
 * With KLINKE_PICTURES set, those that the README shows are written anew.
 */
async function shoot(page, name, theme, { readme } = {}) {
  mkdirSync(SCREENS, { recursive: true });
  const file = `${SCREENS}${name}-${theme}.png`;
  await page.screenshot({ path: file });
  if (readme && theme === 'light' && process.env.KLINKE_PICTURES) {
    const folder = new URL('../../docs/pictures/', import.meta.url).pathname;
    mkdirSync(folder, { recursive: true });
    copyFileSync(file, `${folder}${readme}.png`);
  }
}

const THEMES = {
  // with the colour of the text, by which one knows that the page is painted
  light: { colorScheme: 'light', forcedColors: 'none', ink: 'rgb(23, 33, 30)' },
  dark: { colorScheme: 'dark', forcedColors: 'none', ink: 'rgb(237, 242, 239)' },
  forced: { colorScheme: 'dark', forcedColors: 'active', ink: 'rgb(255, 255, 255)' },
};

/** Changes the theme; the browser takes a moment to repaint a page with many names. */
export async function wear(page, theme) {
  const { colorScheme, forcedColors } = THEMES[theme];
  await page.emulateMedia({ colorScheme, forcedColors });
  await page.waitForFunction((ink) => {
    const texts = [document.body, ...document.querySelectorAll('[data-screen] li button')];
    return texts.every((text) => getComputedStyle(text).color === ink);
  }, THEMES[theme].ink);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/**
 * Looks at a screen in light and dark, and with `forced` in the colours that a person chose: keeps a picture of each,
 * and fails when axe finds anything. `still`: what must be there to the end, of a screen that goes away by itself.
 */
export async function look(page, name, { forced = false, readme, still } = {}) {
  for (const theme of forced ? ['light', 'dark', 'forced'] : ['light', 'dark']) {
    await wear(page, theme);
    await shoot(page, name, theme, { readme });
    await usableByAll(page, name, theme);
    if (still) assert.ok(await still.isVisible(), `${name}, ${theme}: the screen was gone too early`);
  }
  await wear(page, 'light');
}

/** Runs in a page: brings each control into view; which of them are not what a pointer hits at their middle. */
function notHit(controls) {
  const middle = (from, to, end) => (Math.max(from, 0) + Math.min(to, end)) / 2;
  const isHit = (control, block) => {
    control.scrollIntoView({ block, inline: 'nearest', behavior: 'instant' });
    const box = [...control.getClientRects()].find(({ width, height }) => width >= 1 && height >= 1);
    if (!box || box.right <= 0 || box.bottom <= 0 || box.left >= innerWidth || box.top >= innerHeight) return false;
    const hit = document.elementFromPoint(middle(box.left, box.right, innerWidth), middle(box.top, box.bottom, innerHeight));
    return hit !== null && control.contains(hit);
  };
  return controls.flatMap((control, at) => (['nearest', 'center', 'end', 'start'].some((block) => isHit(control, block)) ? [] : [at]));
}

/** What was said of what was just done stands over the page no more. All at once: each goes by itself after its seconds. */
export async function dismissToasts(page) {
  const close = page.locator('.toasts').getByRole('button', { name: t('common-close'), exact: true });
  await close.evaluateAll((buttons) => buttons.forEach((button) => button.click()));
  await page.waitForFunction(() => !document.querySelector('.toast'));
}

/** Nothing is cut off: no scrolling sideways, and everything that can be pressed can be brought into view and hit. */
export async function fits(page, name) {
  // a size that was just given takes a frame to be laid out
  await page.waitForFunction(() => document.documentElement.scrollWidth <= window.innerWidth, null, { timeout: 2_000 }).catch(() => undefined);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${name}: ${wide} px wider than the screen`);
  // what lies under a dialog waits for it
  const dialog = page.getByRole('dialog');
  const top = (await dialog.count()) > 0 ? dialog : page;
  const controls = top.locator('button:visible:enabled, a:visible, input:visible:enabled, select:visible');
  // all in one go; where this can not say so, the browser's driver tries as a pointer would, with patience
  for (const at of await controls.evaluateAll(notHit)) await controls.nth(at).click({ trial: true, timeout: 2_000 });
}

/**
 * Nothing of the page is cut off, whatever its size: no scrolling in two directions, no control beyond the edge, no words
 * that lose their end. What scrolls sideways by itself (a row of tabs) may be longer than the window.
 */
export async function nothingCut(page, name) {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  const found = await page.evaluate(() => {
    const said = (one) => `${one.tagName.toLowerCase()} “${(one.innerText || one.getAttribute('aria-label') || one.name || '').trim().slice(0, 60)}”`;
    const scrolls = (one) => {
      for (let at = one.parentElement; at; at = at.parentElement) {
        if (['auto', 'scroll'].includes(getComputedStyle(at).overflowX) && at.scrollWidth > at.clientWidth) return true;
      }
      return false;
    };
    const there = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest('.unseen') && !one.querySelector(':scope > .unseen');
    const wrong = [];
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide > 0) wrong.push(`the page is ${wide} px wider than the window`);
    for (const one of document.querySelectorAll('button, a, input, select, summary, textarea')) {
      if (!there(one) || scrolls(one)) continue;
      const { left, right, width } = one.getBoundingClientRect();
      if (width > 0 && (left < -1 || right > innerWidth + 1)) wrong.push(`${said(one)} is at ${Math.round(left)}–${Math.round(right)} of ${innerWidth}`);
    }
    for (const one of document.querySelectorAll('button, a, th, td, label, legend, h1, h2, h3, p, span, dt, dd, strong, li')) {
      const { overflowX, clipPath } = getComputedStyle(one);
      if (there(one) && overflowX !== 'visible' && clipPath === 'none' && overflowX === 'hidden' && one.scrollWidth > one.clientWidth + 1) wrong.push(`${said(one)} loses its end`);
    }
    return wrong;
  });
  assert.deepEqual(found, [], name);
}
