// Cards: an administrator gives one by its number, the resident loses and finds it, and many come by a file.

import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { dismissToasts, fits, look } from '../support/looks.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

/** The administrator at the cards of the demo's building. */
async function atCards(world) {
  const page = await world.page('desktop');
  const admin = new Admin(page);
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  await admin.section('admin-section-cards');
  return admin;
}

scenario('a card is given at the desk, lost and found in the app, and blocked by the administrator', async (world) => {
  const [resident] = world.town.bell('individual').residents;
  const admin = await atCards(world);
  const { page, dialog } = admin;
  await page.getByText(t('admin-cards-none')).waitFor();
  await look(page, 'admin-cards-none');

  // the desk: the number is typed as a reader types it, with Enter behind; the cursor is back for the next one
  await page.getByRole('button', { name: t('admin-card-add') }).click();
  await dialog.getByLabel(t('admin-pick-person'), { exact: true }).fill(resident.name);
  await dialog.getByRole('radio', { name: new RegExp(resident.name) }).first().check();
  const number = dialog.getByLabel(t('app-card-number'), { exact: true });
  await number.fill('127-53471');
  await dialog.getByLabel(t('app-card-kind'), { exact: true }).evaluate((field) => {
    if (field.value !== 'wiegand26') throw new Error(`proposed ${field.value}`);
  });
  await look(page, 'admin-card-add');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-card-add-phone');
  await fits(page, 'giving a card, phone');
  await page.setViewportSize(SIZES.desktop);
  await number.press('Enter');
  await dialog.getByText(t('admin-card-given', { card: t('app-card-name-usual'), name: resident.name })).waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'number' && document.activeElement.value === '');
  await page.keyboard.type('127-53471\n');
  await dialog.getByText(t('admin-card-taken', { name: resident.name, card: t('app-card-name-usual') })).waitFor();
  // what was refused is selected: the next card takes its place
  await page.keyboard.type('04A22B1C556080\n');
  await dialog.getByText(t('admin-card-given', { card: t('app-card-name-usual'), name: resident.name })).waitFor();
  await dialog.getByRole('button', { name: t('common-close') }).click();
  await page.getByText('04:A2:2B:1C:55:60:80').waitFor();
  await page.getByText('127-53471').waitFor();

  // in the app: lost with one tap, taken back, lost again
  const app = await world.app(resident);
  const phone = app.page;
  await phone.getByRole('link', { name: t('app-tab-me'), exact: true }).click();
  const mine = phone.getByRole('region', { name: t('app-cards') });
  const one = mine.getByRole('listitem').filter({ hasText: t('app-card-ending', { ending: '3471' }) });
  await one.waitFor();
  if ((await mine.getByText('127-53471').count()) > 0) throw new Error('the app tells the number');
  await look(phone, 'app-cards');
  await one.getByRole('button', { name: `${t('app-card-lost')}: ${t('app-card-name-usual')}` }).click();
  await one.getByText(t('app-card-blocked'), { exact: true }).waitFor();
  await mine.getByRole('button', { name: t('app-card-undo') }).click();
  await one.getByText(t('app-card-copyable'), { exact: true }).waitFor();
  await one.getByRole('button', { name: `${t('app-card-lost')}: ${t('app-card-name-usual')}` }).click();
  await one.getByText(t('app-card-blocked'), { exact: true }).waitFor();
  await mine.scrollIntoViewIfNeeded();
  await look(phone, 'app-cards-lost');
  await fits(phone, 'my cards');

  // the administrator sees by whom, and blocks the other one themselves: that is theirs to let in again
  await page.reload();
  await admin.loaded();
  await admin.row('127-53471').getByText(t('admin-card-blocked-holder')).waitFor();
  await admin.row('04:A2:2B').getByRole('button', { name: new RegExp(`^${t('admin-card-block')}`) }).click();
  await admin.row('04:A2:2B').getByText(t('admin-card-blocked-administrator')).waitFor();
  await dismissToasts(page);
  await look(page, 'admin-cards', { forced: true });
  await fits(page, 'cards, desktop');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-cards-phone');
  await fits(page, 'cards, phone');
  await page.setViewportSize(SIZES.desktop);
  await phone.reload();
  const other = mine.getByRole('listitem').filter({ hasText: t('app-card-ending', { ending: '6080' }) });
  await other.getByText(t('app-card-blocked-administrator')).waitFor();
  if ((await other.getByRole('button').count()) > 0) throw new Error('what an administrator blocked can be let in by the holder');

  // found by its holder; taken back and given again
  await page.getByLabel(t('admin-cards-show')).selectOption('blocked');
  await admin.row('127-53471').waitFor();
  await one.getByRole('button', { name: `${t('app-card-found')}: ${t('app-card-name-usual')}` }).click();
  await one.getByText(t('app-card-copyable'), { exact: true }).waitFor();
  await page.reload();
  await admin.row('127-53471').getByRole('button', { name: new RegExp(`^${t('admin-card-remove')}`) }).click();
  await admin.row('127-53471').waitFor({ state: 'detached' });
  await page.keyboard.press('ControlOrMeta+z');
  await admin.row('127-53471').waitFor();
});

scenario('a file of cards with two bad rows is looked at, and the good ones are given', async (world) => {
  const residents = world.town.bells.flatMap((bell) => (bell.house === world.town.building ? bell.residents.map(({ name }) => ({ name, unit: bell.unit })) : []));
  const [first, second] = residents.filter((one, at) => residents.findIndex(({ name }) => name === one.name) === at);
  const admin = await atCards(world);
  const { page, dialog } = admin;
  await page.getByRole('button', { name: t('admin-cards-import') }).click();
  const rows = [
    ['Leilighet', 'Navn', 'Type', 'Kortnummer', 'Kortnavn'],
    [first.unit, first.name, '26', '1-100', 'Blå'],
    [second.unit, second.name, 'serial', '04:11:22:33:44:55:66', ''],
    [first.unit, 'Ukjent Person', '26', '1-101', ''],
    [first.unit, first.name, '26', '300-1', ''],
  ];
  const csv = rows.map((row) => row.join(';')).join('\r\n');
  await dialog.getByLabel(t('admin-cards-import-choose'), { exact: true }).and(page.locator('input')).setInputFiles({ name: 'kort.csv', mimeType: '', buffer: Buffer.from(csv) });
  await dialog.getByText(t('admin-cards-import-counts', { new: 2, same: 0, wrong: 2 })).waitFor();
  await dialog.getByText(t('admin-cards-row-person-unknown')).waitFor();
  await dialog.getByText(t('error-out-of-range')).waitFor();
  await look(page, 'admin-cards-import');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-cards-import-phone');
  await fits(page, 'cards from a file, phone');
  await page.setViewportSize(SIZES.desktop);
  await dialog.getByRole('button', { name: t('admin-cards-import-apply', { count: 2 }) }).click();
  await dialog.getByText(t('admin-cards-import-given', { count: 2 })).waitFor();
  await dialog.getByRole('button', { name: t('common-close') }).click();
  await admin.row('1-100').getByText('Blå').waitFor();
  await admin.row('04:11:22:33:44:55:66').getByText(second.name).waitFor();
});
