// Every page of the administration, whichever there are: with data, empty, failed, not allowed, offline; in every
// language, light and dark and chosen colours, twice as large, on a phone, with longer words, and by keys alone.

import assert from 'node:assert/strict';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { look, nothingCut, usableByAll, wear } from '../support/looks.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();
const WIDE = { width: 1440, height: 900 };
/** 200 % of a desktop of 1280. */
const ZOOMED = { width: 640, height: 400 };

async function administrator(world, language = 'en') {
  const page = await world.page('desktop');
  await page.addInitScript((tag) => localStorage.getItem('klinke.locale') ?? localStorage.setItem('klinke.locale', tag), 'en');
  const admin = new Admin(page);
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  await page.evaluate((tag) => localStorage.setItem('klinke.locale', tag), language);
  await page.reload();
  await admin.loaded();
  return admin;
}

/** The addresses of the building's pages, as the navigation has them. */
const pagesOf = (page) => page.locator('.shell > nav a[href^="/admin/buildings/"]').evaluateAll((links) => links.map((link) => link.getAttribute('href')));

const nameOf = (address) => address.split('/')[4] ?? 'overview';

/** Goes to a page by its link, as people do: what was fetched stays fetched. */
async function go(admin, address) {
  await admin.page.locator(`.shell > nav a[href="${address}"]`).click();
  await admin.page.locator(`.shell > nav a[href="${address}"][aria-current=page]`).waitFor();
  await admin.loaded();
}

/** All that is wrong, of every page: one that fails does not hide the next. */
function gathered() {
  const found = [];
  return {
    check: (what) => what().catch((error) => found.push(error.actual ? `${error.message.split('\n')[0]}: ${JSON.stringify(error.actual)}` : error.message)),
    end: () => assert.equal(found.length, 0, found.join('\n')),
  };
}

/** Each tab of the page that is open, when it has some. */
async function eachTab(page, what) {
  const tabs = page.locator('main [role=tab]');
  await what('');
  for (let at = 1; at < (await tabs.count()); at += 1) {
    await tabs.nth(at).click();
    await page.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
    await what(`-${at + 1}`);
  }
}

scenario('every page with data: pictures, axe, phone, zoom, chosen colours', async (world) => {
  const admin = await administrator(world);
  const { page } = admin;
  const all = gathered();
  for (const address of await pagesOf(page)) {
    await page.setViewportSize(WIDE);
    await go(admin, address);
    await eachTab(page, (tab) => all.check(async () => {
      const name = `admin-page-${nameOf(address)}${tab}`;
      await page.setViewportSize(WIDE);
      await look(page, name, { forced: true, ...(name === 'admin-page-overview' && { readme: 'admin-overview' }) });
      await nothingCut(page, name);
      await page.setViewportSize(SIZES.phone);
      await look(page, `${name}-phone`);
      await nothingCut(page, `${name}, phone`);
      await page.setViewportSize(ZOOMED);
      await nothingCut(page, `${name}, 200 %`);
    }));
  }
  all.end();
});

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

const fails = (status, code) => (route) =>
  route.request().method() === 'GET' && !/\/(session|setup|buildings)$/.test(new URL(route.request().url()).pathname)
    ? status === 0 ? route.abort() : route.fulfill({ status, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', code, title: '', status }) })
    : route.fallback();

for (const [state, language, status, code] of [
  ['failed', 'nb', 500, 'internal'],
  ['denied', 'sv', 403, 'forbidden'],
  ['offline', 'da', 0, ''],
]) {
  scenario(`every page when it is ${state}, in ${language}`, async (world) => {
    const admin = await administrator(world, language);
    const { page } = admin;
    const all = gathered();
    const addresses = await pagesOf(page);
    await page.route('**/api/v1/**', fails(status, code));
    for (const [at, address] of addresses.entries()) {
      await go(admin, address);
      const name = `admin-page-${nameOf(address)}-${state}`;
      await page.setViewportSize(at % 2 ? SIZES.phone : WIDE);
      await all.check(async () => {
        await look(page, name);
        await nothingCut(page, name);
      });
      await page.setViewportSize(SIZES.desktop);
    }
    all.end();
    assert.equal(await page.evaluate(() => document.documentElement.lang), language);
  });
}

scenario('every page of a building with nothing in it, in nn', async (world) => {
  const admin = await administrator(world, 'nn');
  const { page } = admin;
  const { origin } = world.demo;
  const known = await (await page.request.get(`${origin}/api/v1/buildings`)).json();
  const made = await page.request.post(`${origin}/api/v1/buildings`, {
    headers: { origin },
    data: { name: 'Tomtebo', address: 'Tomteveien 1', kind: 'residential', time_zone: 'Europe/Oslo' },
  });
  assert.equal(made.status(), 201, await made.text());
  const { id } = await made.json();
  await page.goto(`${origin}/admin/buildings/${id}`);
  await admin.loaded();
  assert.ok(known.every((building) => building.id !== id));
  const all = gathered();
  for (const [at, address] of (await pagesOf(page)).entries()) {
    await go(admin, address);
    const name = `admin-page-${nameOf(address)}-empty`;
    await page.setViewportSize(at % 2 ? WIDE : SIZES.phone);
    await all.check(async () => {
      await look(page, name);
      await nothingCut(page, name);
    });
    await page.setViewportSize(SIZES.desktop);
  }
  all.end();
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

/** Goes on with Tab until this has the focus, and it shows. */
async function tabTo(page, control, most = 60) {
  for (let presses = 0; presses < most; presses += 1) {
    if (await control.evaluateAll((found) => found.includes(document.activeElement))) {
      const ring = await page.evaluate(() => {
        const shows = (one) => {
          const { outlineStyle, outlineWidth } = getComputedStyle(one);
          return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
        };
        // the ring of a search field is around its frame
        return shows(document.activeElement) || shows(document.activeElement.parentElement);
      });
      assert.ok(ring, `${control} does not show that it has the focus`);
      return;
    }
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not reach ${control}`);
}

async function press(page, control) {
  await tabTo(page, control);
  await page.keyboard.press('Enter');
}

const focusKept = (page, what) => page.waitForFunction(() => document.activeElement !== document.body, undefined, { timeout: 3_000 }).catch(() => assert.fail(`${what}: the focus is lost`));

scenario('a person is added, changed while somebody else does, moved out and taken back, with keys alone', async (world) => {
  const admin = await administrator(world);
  const { page } = admin;
  await press(page, page.locator('.shell > nav a', { hasText: t('admin-section-people') }));
  await admin.loaded();
  await press(page, page.getByRole('button', { name: t('admin-person-add') }));
  await page.keyboard.type('Tasta Tur');
  await tabTo(page, admin.dialog.getByLabel(t('admin-unit'), { exact: true }));
  await page.keyboard.type('1403');
  await tabTo(page, admin.dialog.getByLabel(t('admin-person-email')));
  await page.keyboard.type('tasta@example.org');
  await page.keyboard.press('Enter');
  await admin.dialog.waitFor({ state: 'detached' });
  await focusKept(page, 'after the new person');

  await page.keyboard.press('/');
  await page.keyboard.type('tasta tur');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await page.keyboard.press('Enter');
  const peek = page.locator('dialog.peek');
  const phone = peek.getByLabel(t('admin-person-phone'));
  await phone.waitFor();
  const { items: [person] } = await (await page.request.get(`${world.demo.origin}/api/v1/people?text=tasta`)).json();
  const other = await page.request.patch(`${world.demo.origin}/api/v1/people/${person.id}`, {
    headers: { origin: world.demo.origin },
    data: { phone: '+4791500222', version: person.version },
  });
  assert.equal(other.status(), 200, await other.text());
  await tabTo(page, phone);
  await page.keyboard.press('Control+a');
  await page.keyboard.type('+47 915 00 333');
  await page.keyboard.press('Enter');
  const conflict = page.getByRole('dialog', { name: t('admin-ground-conflict') });
  await conflict.waitFor();
  await usableByAll(page, 'conflict', 'light');
  await tabTo(page, conflict.getByRole('radio', { name: new RegExp(t('admin-ground-conflict-mine')) }));
  await page.keyboard.press('Space');
  await press(page, conflict.getByRole('button', { name: t('admin-ground-conflict-save') }));
  await conflict.waitFor({ state: 'detached' });
  await page.getByText(t('admin-person-saved')).waitFor();
  await focusKept(page, 'after the conflict');
  await page.keyboard.press('Escape');
  await peek.waitFor({ state: 'detached' });
  await focusKept(page, 'after the person');

  await tabTo(page, page.getByRole('rowheader').first().getByRole('button'));
  await page.keyboard.press('m');
  await press(page, peek.getByRole('button', { name: t('admin-move-confirm') }));
  await page.getByText(pattern('admin-move-planned', { unit: '1403' })).waitFor();
  await focusKept(page, 'after the move');
  await page.keyboard.press('Control+z');
  await page.getByText(t('admin-ground-undone')).waitFor();
});

scenario('a list is chosen for import with keys alone', async (world) => {
  const admin = await administrator(world);
  const { page } = admin;
  await press(page, page.locator('.shell > nav a', { hasText: t('admin-section-import') }));
  await admin.loaded();
  await tabTo(page, page.getByRole('button', { name: t('admin-import-choose') }));
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Space')]);
  await chooser.setFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from('Navn;Leilighet\r\nTast Import;1101\r\n') });
  await page.getByRole('heading', { name: t('admin-import-rows') }).waitFor();
  await focusKept(page, 'after the file');
});
