// Pictures on buttons: allowed by the administrator, put there in the app, seen at the panel, taken away with a reason.

import assert from 'node:assert/strict';
import { Admin } from '../support/admin.mjs';
import { fits, look } from '../support/looks.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();
const PICTURE = new URL('../support/visitor.jpg', import.meta.url).pathname;

async function administrator(world, bell, section) {
  const admin = new Admin(await world.page('desktop'));
  const { told } = world.demo;
  await admin.signIn(told.admin_url, told.administrator);
  await admin.enter(bell.house);
  await admin.section(section);
  return admin;
}

/** What the policy says of pictures, and approval, through the page. */
async function allow(world, bell, sentences) {
  const admin = await administrator(world, bell, 'admin-section-policy');
  for (const [sentence, on] of Object.entries(sentences)) {
    await admin.page.getByRole('checkbox', { name: t(`admin-policy-${sentence}`) }).setChecked(on);
  }
  await admin.page.getByRole('button', { name: t('admin-ground-save'), exact: true }).click();
  await admin.page.getByText(t('admin-policy-saved')).waitFor();
  await admin.page.close();
}

/** The card of a button in the app. */
async function card(app, bell) {
  await app.page.getByRole('link', { name: t('app-tab-doorbell'), exact: true }).click();
  await app.page.getByRole('heading', { level: 1, name: t('app-tab-doorbell') }).waitFor();
  const heading = app.page.getByRole('heading', { name: bell.panel.name.split(': ').pop() });
  const article = app.page.getByRole('article').filter({ has: heading }).first();
  await article.waitFor();
  return article;
}

/** Looks at the whole of a page, also what lies below the screen. */
async function lookAtAll(page, name) {
  const screen = page.viewportSize();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ ...screen, height: Math.max(screen.height, height) });
  await look(page, name);
  await page.setViewportSize(screen);
}

/** The picture is there, and drawn. */
async function isDrawn(image) {
  await image.waitFor();
  await image.evaluate((one) => one.decode());
  assert.ok((await image.evaluate(({ naturalWidth }) => naturalWidth)) > 0);
}

const polled = { polling: 100 };
/** What the panel has got of a button, though its page is behind another. */
const panelHas = (panel, bell, wanted) =>
  panel.page.waitForFunction(
    ([id, there]) => Boolean(JSON.parse(localStorage['klinke.panel.directory']).bells.find((one) => one.bell === id)?.picture) === there,
    [bell.id, wanted],
    polled,
  );

scenario('a resident\'s picture is at the panel, until an administrator takes it away and says why', async (world) => {
  const bell = world.town.bell('individual');
  const panel = await world.panel(bell);
  const app = await world.app(bell.residents[0]);
  let mine = await card(app, bell);
  assert.equal(await mine.locator('input[type=file]').count(), 0, 'the building allows no pictures yet');
  await allow(world, bell, { pictures: true });
  await app.reload();
  mine = await card(app, bell);
  await mine.locator('input[type=file]').setInputFiles({ name: 'page.png', mimeType: 'image/png', buffer: Buffer.from('<svg/>') });
  await mine.getByText(t('error-not-a-picture')).waitFor();
  await mine.locator('input[type=file]').setInputFiles(PICTURE);
  await mine.getByText(t('app-bell-saved')).waitFor();
  await isDrawn(mine.getByRole('img', { name: t('app-bell-picture-alt') }));
  await lookAtAll(app.page, 'app-bell-picture');
  await fits(app.page, 'a picture in the app');

  await panelHas(panel, bell, true);
  await panel.page.bringToFront();
  await isDrawn((await panel.find(bell)).locator('img'));
  await look(panel.page, 'panel-picture');
  // as the names do, it stays when the server can not be reached
  await panel.page.context().setOffline(true);
  await assert.rejects(panel.page.evaluate(() => fetch('/healthz')));
  // another screen, and the names anew
  await panel.choose(world.town.bells.find(({ panel: at, kind }) => at.url === bell.panel.url && kind === 'family'));
  await panel.page.getByRole('button', { name: t('panel-back'), exact: true }).click();
  await isDrawn((await panel.find(bell)).locator('img'));
  await panel.page.context().setOffline(false);

  const admin = await administrator(world, bell, 'admin-section-bells');
  await admin.page.getByText(t('admin-bell-picture-new', { name: bell.label })).waitFor();
  await isDrawn(admin.page.getByRole('img', { name: t('admin-bell-picture', { name: bell.label }) }));
  await look(admin.page, 'admin-bells-picture');
  await admin.page.getByRole('button', { name: bell.label, exact: true }).first().click();
  await isDrawn(admin.page.frameLocator('iframe').locator('img').first());
  await look(admin.page, 'admin-bell-peek-picture');
  const peek = admin.page.getByRole('complementary').or(admin.page.getByRole('dialog')).filter({ hasText: t('admin-bell-picture-title') });
  await peek.getByRole('button', { name: `${t('admin-bell-picture-take')} ${bell.label}` }).click();
  const dialog = admin.page.getByRole('dialog', { name: t('admin-bell-picture-take-title', { name: bell.label }) });
  await dialog.getByRole('button', { name: t('admin-bell-picture-take'), exact: true }).click();
  await dialog.getByLabel(t('admin-bell-remove-reason'), { exact: true }).and(admin.page.locator('[aria-invalid]')).waitFor();
  await dialog.getByLabel(t('admin-bell-remove-reason'), { exact: true }).fill('It shows a neighbour');
  await look(admin.page, 'admin-bell-picture-take');
  await dialog.getByRole('button', { name: t('admin-bell-picture-take'), exact: true }).click();
  await admin.page.getByText(t('admin-bell-said-take-picture', { name: bell.label })).waitFor();

  await panelHas(panel, bell, false);
  await panel.page.bringToFront();
  assert.equal(await (await panel.find(bell)).locator('img').count(), 0);
  await app.reload();
  mine = await card(app, bell);
  await mine.getByText(t('app-bell-picture-taken', { reason: 'It shows a neighbour' })).waitFor();
  assert.equal(await mine.getByRole('img', { name: t('app-bell-picture-alt') }).count(), 0);
  await lookAtAll(app.page, 'app-bell-picture-taken');
}, { fresh: true });

scenario('where pictures are looked at first, the panel waits; an administrator\'s own stands at once', async (world) => {
  const bell = world.town.bell('individual');
  const panel = await world.panel(bell);
  await allow(world, bell, { pictures: true, 'approve-first': true });
  const app = await world.app(bell.residents[0]);
  const mine = await card(app, bell);
  await mine.locator('input[type=file]').setInputFiles(PICTURE);
  await mine.getByText(t('app-bell-picture-waits'), { exact: true }).waitFor();
  await panelHas(panel, bell, false);
  const admin = await administrator(world, bell, 'admin-section-bells');
  await admin.page.getByText(t('admin-bell-picture-waits', { name: bell.label })).waitFor();
  await admin.page.getByRole('button', { name: `${t('admin-bell-approve')} ${bell.label}` }).click();
  await admin.page.getByText(t('admin-bell-said-approve', { name: bell.label })).waitFor();
  await panelHas(panel, bell, true);
  // the resident takes it away, the administrator puts another
  await app.reload();
  await (await card(app, bell)).getByRole('button', { name: t('app-bell-picture-away') }).click();
  await (await card(app, bell)).getByText(t('app-bell-picture-gone')).waitFor();
  await panelHas(panel, bell, false);
  await admin.page.reload();
  await admin.loaded();
  await admin.page.getByRole('button', { name: bell.label, exact: true }).first().click();
  await admin.page.locator('input[type=file]').setInputFiles(PICTURE);
  await admin.page.getByText(t('admin-bell-said-picture', { name: bell.label })).waitFor();
  await panelHas(panel, bell, true);
  await panel.page.bringToFront();
  await isDrawn((await panel.find(bell)).locator('img'));
}, { fresh: true });
