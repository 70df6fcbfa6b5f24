// An administrator's doorbells: edited with a preview, ordered, dialled, moderated; silent in quiet hours.
// Runs alone: calls with a picture that moves.

import assert from 'node:assert/strict';
import { Admin } from '../support/admin.mjs';
import { look } from '../support/looks.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

/** An administrator at the doorbells of a bell's building. */
async function doorbells(world, bell, size = 'desktop') {
  const admin = new Admin(await world.page(size));
  const { told } = world.demo;
  await admin.signIn(told.admin_url, told.administrator);
  await admin.enter(bell.house);
  await admin.section('admin-section-bells');
  return admin;
}

const open = (admin, label) => admin.page.getByRole('button', { name: label, exact: true }).first().click();
const save = (admin) => admin.page.getByRole('button', { name: t('admin-ground-save'), exact: true }).click();
const preview = (admin) => admin.page.frameLocator('iframe');
/** A button of a panel's list, by all of its text. */
const button = (panel, text) => panel.page.getByRole('button').filter({ has: panel.page.getByText(text, { exact: true }) }).first();

scenario('a new text is seen on the preview while it is typed, and on the panel once it is saved', async (world) => {
  const bell = world.town.bell('individual');
  const panel = await world.panel(bell);
  const admin = await doorbells(world, bell);
  await open(admin, bell.label);
  await admin.page.getByLabel(t('admin-bell-text'), { exact: true }).fill('Aaberg Aabergsen');
  await preview(admin).getByText('Aaberg Aabergsen').first().waitFor();
  assert.equal(await panel.page.getByText('Aaberg Aabergsen').count(), 0, 'nothing is saved yet');
  await look(admin.page, 'admin-bell-peek');
  await admin.page.getByRole('button', { name: t('admin-bell-large'), exact: true }).click();
  await preview(admin).locator('.panel.large').waitFor();
  await look(admin.page, 'admin-bell-peek-large');
  await save(admin);
  await panel.choose({ label: 'Aaberg Aabergsen', unit: bell.unit });
  await admin.page.getByText(t('admin-bell-saved', { name: 'Aaberg Aabergsen' })).waitFor();
}, { fresh: true });

scenario('what can only be dialled has its name on no panel and rings by its code', async (world) => {
  const bell = world.town.bell('individual');
  const { panel, apps: [app] } = await world.household(bell);
  const admin = await doorbells(world, bell);
  await open(admin, bell.label);
  await admin.page.getByLabel(t('admin-bell-listing'), { exact: true }).selectOption('dial_only');
  await save(admin);
  await admin.page.getByLabel(t('admin-bell-code'), { exact: true }).and(admin.page.locator('[aria-invalid]')).waitFor();
  await admin.page.getByLabel(t('admin-bell-code'), { exact: true }).fill('47110815');
  await save(admin);
  await admin.page.getByText(t('admin-bell-saved', { name: bell.label })).waitFor();
  const wake = panel.page.getByRole('button', { name: t('panel-touch') });
  if (await wake.isVisible()) await wake.click();
  for (const digit of '47110815') await panel.page.getByRole('button', { name: digit, exact: true }).click();
  await look(panel.page, 'panel-dial');
  await panel.page.getByRole('button', { name: t('panel-dial', { code: '47110815' }), exact: true }).click();
  await app.rings();
  await app.seesPicture();
  assert.equal(await panel.page.getByText(bell.label).count(), 0, 'the name is not told');
}, { fresh: true });

scenario('a resident\'s new text is looked at, and the button removed with a reason', async (world) => {
  const bell = world.town.bell('individual');
  const panel = await world.panel(bell);
  const app = await world.app(bell.residents[0]);
  const written = await app.page.evaluate(async (id) => {
    const mine = await (await fetch('/api/v1/me/bells')).json();
    const { version } = mine.find((one) => one.id === id);
    const answer = await fetch(`/api/v1/me/bells/${id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ version, label: 'Zorro Zett' }),
    });
    return answer.status;
  }, bell.id);
  assert.equal(written, 200);
  const admin = await doorbells(world, bell);
  await admin.page.getByText(t('admin-bell-written', { before: bell.label, after: 'Zorro Zett' })).waitFor();
  await look(admin.page, 'admin-bells');
  const looks = admin.page.locator('section', { has: admin.page.locator('#looks') });
  await looks.getByRole('button', { name: pattern('admin-bell-put-back') }).first().click();
  await looks.waitFor({ state: 'hidden' });
  await open(admin, bell.label);
  await admin.page.getByRole('button', { name: `${t('admin-bell-remove')} ${bell.label}` }).click();
  const dialog = admin.page.getByRole('dialog', { name: t('admin-bell-remove-title', { name: bell.label }) });
  await dialog.getByLabel(t('admin-bell-remove-reason'), { exact: true }).fill('Not a name');
  await look(admin.page, 'admin-bell-remove');
  await dialog.getByRole('button', { name: t('admin-bell-remove'), exact: true }).click();
  await admin.page.getByText(t('admin-bell-said-remove', { name: bell.label })).waitFor();
  await panel.page.waitForFunction((id) => !localStorage['klinke.panel.directory'].includes(id), bell.id);
}, { fresh: true });

scenario('buttons are put in order by keys, and undo brings the order back', async (world) => {
  const bell = world.town.bell('individual');
  const panel = await world.panel(bell);
  const admin = await doorbells(world, bell);
  const first = () => panel.page.evaluate(() => JSON.parse(localStorage['klinke.panel.directory']).bells.slice(0, 2).map((one) => one.label));
  const [one, two] = await first();
  const name = bell.panel.name.split(': ').at(-1);
  await admin.page.getByRole('button', { name: t('admin-order-title', { panel: name }), exact: true }).click();
  await admin.page.getByRole('button', { name: t('admin-order-down', { name: one }), exact: true }).focus();
  await admin.page.keyboard.press('Enter');
  await admin.page.getByText(t('admin-order-saved')).waitFor();
  const is = (wanted) => panel.page.waitForFunction(
    ([a, b]) => {
      const bells = JSON.parse(localStorage['klinke.panel.directory']).bells;
      return bells[0].label === a && bells[1].label === b;
    },
    wanted,
    // the panel's page is behind the other: nothing is painted there, so no frame to wait for
    { polling: 100 },
  );
  await is([two, one]);
  await admin.page.keyboard.press('Control+z');
  await is([one, two]);
  await look(admin.page, 'admin-bells-order');
}, { fresh: true });

scenario('in quiet hours the call is seen and not heard, and the visitor notices nothing', async (world) => {
  const bell = world.town.bell('individual');
  const { panel, apps: [app] } = await world.household(bell);
  await app.page.evaluate(() => {
    window.strokes = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) {
      window.strokes += 1;
      return start.apply(this, when);
    };
  });
  const strokes = () => app.page.evaluate(() => window.strokes);
  const ring = async () => {
    await panel.ring(bell);
    await app.rings();
    await app.seesPicture();
  };
  await ring();
  await app.page.waitForFunction(() => window.strokes > 0);
  await app.decline();
  await panel.backToNames();
  await app.isHome();

  const admin = await doorbells(world, bell);
  const set = await admin.page.evaluate(async (building) => {
    const address = `/api/v1/buildings/${building}/policy`;
    const { version, policy } = await (await fetch(address)).json();
    // all of the day but the minute that was just before
    const [hour, minute] = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Oslo', hour: '2-digit', minute: '2-digit' }).format(Date.now()).split(':');
    const now = Number(hour) * 60 + Number(minute);
    const body = { version, policy: { ...policy, quiet_hours: { from: now, until: (now + 1439) % 1440 } } };
    const answer = await fetch(address, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    return answer.status;
  }, bell.building);
  assert.equal(set, 200);
  const before = await strokes();
  await ring();
  await app.call.getByText(t('app-quiet-hours')).waitFor();
  await look(app.page, 'app-quiet-hours');
  assert.equal(await strokes(), before, 'nothing sounds');
}, { fresh: true });

scenario('the doorbells and the preview fit a phone', async (world) => {
  const bell = world.town.bell('family', 2);
  const admin = await doorbells(world, bell, 'phone');
  await look(admin.page, 'phone-admin-bells');
  await open(admin, bell.label);
  await preview(admin).getByText(bell.label).first().waitFor();
  await look(admin.page, 'phone-admin-bell-peek');
  const wide = await admin.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(wide, false, 'nothing is cut off at the side');
});
