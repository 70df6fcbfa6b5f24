// What every page of the administration opens, and every page with longer words.

import assert from 'node:assert/strict';
import { SIZES } from '../support/browser.mjs';
import { nothingCut, usableByAll, wear } from '../support/looks.mjs';
import { WIDE, ZOOMED, administrator, gathered, go, nameOf, pagesOf } from '../support/pages.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

scenario('what a page opens has nothing for axe, closes with Escape, and gives the focus back', async (world) => {
  const admin = await administrator(world);
  const { page } = admin;
  for (const address of await pagesOf(page)) {
    await go(admin, address);
    const openers = page.locator('main header button:visible:enabled');
    for (let at = 0; at < (await openers.count()); at += 1) {
      const opener = openers.nth(at);
      const name = `${nameOf(address)}: ${await opener.innerText()}`;
      await opener.focus();
      await page.keyboard.press('Enter');
      // what does something else opens nothing
      if (!(await page.getByRole('dialog').first().waitFor({ timeout: 1_000 }).then(() => true, () => false))) continue;
      await page.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
      for (const theme of ['light', 'dark']) {
        await wear(page, theme);
        await usableByAll(page, name, theme);
      }
      await page.setViewportSize(SIZES.phone);
      await nothingCut(page, `${name}, phone`);
      await page.setViewportSize(SIZES.desktop);
      await wear(page, 'light');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.waitForFunction(() => document.activeElement !== document.body, undefined, { timeout: 3_000 }).catch(() => assert.fail(`${name}: the focus is lost`));
    }
  }
});

/** Words 40 % longer: each vowel twice, as in languages that use more of them; what is in braces stays. */
const longer = (line) => {
  const [, begin, text] = /^(\s*(?:[a-z][\w-]*\s*=|\*?\[\w+\])\s?)(.*)$/.exec(line) ?? [];
  return text === undefined ? line : begin + text.replace(/\{[^}]*(?:\}|$)|[aeiouy]/g, (found) => (found.length > 1 ? found : found + found));
};

scenario('every page with words 40 % longer', async (world) => {
  const admin = await administrator(world);
  const { page } = admin;
  let texts = 0;
  await page.route('**/assets/en-*.js', async (route) => {
    const answer = await route.fetch();
    texts += 1;
    await route.fulfill({ response: answer, body: (await answer.text()).split('\n').map(longer).join('\n') });
  });
  await page.reload();
  await admin.loaded();
  await page.getByText('Peeooplee').first().waitFor();
  assert.ok(texts > 0);
  const all = gathered();
  for (const address of await pagesOf(page)) {
    for (const size of [WIDE, SIZES.phone, ZOOMED]) {
      await page.setViewportSize(size);
      await go(admin, address);
      await all.check(() => nothingCut(page, `${nameOf(address)}, longer words, ${size.width}`));
    }
    await page.setViewportSize(SIZES.phone);
    await page.screenshot({ path: new URL(`../screens/admin-page-${nameOf(address)}-longer.png`, import.meta.url).pathname });
  }
  all.end();
});
