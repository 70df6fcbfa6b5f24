// Every main screen in every language: nothing is cut off and nothing is wider than its screen.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { fits, look } from '../support/looks.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

const LANGUAGES = ['nb', 'nn', 'sv', 'da', 'en'];

/** The text of a key in a language, without variables. */
function text(language, key) {
  const file = readFileSync(new URL(`../../web/src/locales/${language}.ftl`, import.meta.url), 'utf8');
  return new RegExp(`^${key} = (.+)$`, 'm').exec(file)[1];
}

/** Words that are wider than the place that they have, and lose their end. */
const cut = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('button, a, th, td, label, h1, h2, p, span')]
      .filter((one) => one.checkVisibility() && !one.closest('.unseen') && !one.querySelector('.unseen'))
      .filter((one) => getComputedStyle(one).overflowX !== 'visible' && getComputedStyle(one).clipPath === 'none')
      .filter((one) => one.scrollWidth > one.clientWidth + 1)
      .map((one) => one.textContent.trim()),
  );

async function whole(page, name) {
  assert.deepEqual(await cut(page), [], `${name}: cut off`);
  await fits(page, name);
}

for (const language of LANGUAGES) {
  scenario(`every main screen in ${language}`, async (world) => {
    const bell = world.town.bell('individual');
    const speak = (page) => page.addInitScript((tag) => localStorage.setItem('klinke.locale', tag), language);

    const admin = new Admin(await world.page('desktop'));
    await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
    await admin.enter(world.town.building);
    await speak(admin.page);
    for (const size of ['desktop', 'phone']) {
      await admin.page.setViewportSize(SIZES[size]);
      await admin.page.reload();
      await admin.page.getByText(text(language, 'admin-figure-who')).waitFor();
      await admin.loaded();
      await look(admin.page, `admin-overview-${size}-${language}`);
      await whole(admin.page, `admin-overview-${size}-${language}`);
      await admin.page.goto(`${admin.page.url().replace(/\/units.*$/, '')}/units`);
      await admin.page.getByRole('heading', { level: 1, name: text(language, 'admin-section-units') }).waitFor();
      await admin.loaded();
      await whole(admin.page, `admin-units-${size}-${language}`);
      await admin.page.goBack();
    }
    assert.equal(await admin.page.evaluate(() => document.documentElement.lang), language);

    const app = await world.app(bell.residents[0]);
    await speak(app.page);
    await app.page.reload();
    await app.page.getByRole('link', { name: text(language, 'app-tab-me') }).click();
    await app.page.getByText(text(language, 'app-device-this'), { exact: true }).waitFor();
    await look(app.page, `app-me-${language}`);
    await whole(app.page, `app-me-${language}`);

    // the panel has a button for each language
    const panel = await world.panel(bell);
    await panel.page.locator(`.languages button[lang=${language}]`).click();
    await panel.page.getByText(text(language, 'panel-title')).waitFor();
    await look(panel.page, `panel-home-${language}`);
    await fits(panel.page, `panel-home-${language}`);
    await panel.page.locator('.languages button[lang=en]').click();
  });
}
