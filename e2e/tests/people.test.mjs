// People and moves, through the administrator's pages.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { fits, look } from '../support/looks.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

async function peoplePage(world) {
  const page = await world.page('desktop');
  const admin = new Admin(page);
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  await admin.section('admin-section-people');
  return admin;
}

const peek = (admin) => admin.page.locator('dialog.peek');

/** Clicks, and counts. */
function counted() {
  let clicks = 0;
  return { click: async (what) => ((clicks += 1), what.click()), get clicks() { return clicks; } };
}

async function add(admin, { name, unit, email = '' }) {
  await admin.page.getByRole('button', { name: t('admin-person-add') }).click();
  const { dialog } = admin;
  await dialog.getByLabel(t('admin-name')).fill(name);
  await dialog.getByLabel(t('admin-unit'), { exact: true }).selectOption({ label: unit });
  await dialog.getByLabel(t('admin-person-email')).fill(email);
  await dialog.getByRole('button', { name: t('admin-person-add') }).click();
  if (email === '') {
    // no mail can carry the link: it is shown once
    await dialog.getByText(t('admin-invite-once')).waitFor();
    await dialog.getByRole('button', { name: t('common-close') }).click();
  }
  await dialog.waitFor({ state: 'detached' });
}

scenario('a new person is found with three keys, and opened with Enter', async (world) => {
  const admin = await peoplePage(world);
  const { page } = admin;
  await page.getByRole('button', { name: t('admin-person-add') }).click();
  await look(page, 'admin-person-add');
  await admin.dialog.getByLabel(t('admin-unit'), { exact: true }).selectOption({ label: '1202' });
  await admin.dialog.getByLabel(t('admin-person-phone'), { exact: true }).fill('call me');
  await admin.dialog.getByRole('button', { name: t('admin-person-add') }).click();
  await admin.dialog.getByText(t('error-not-a-phone')).first().waitFor();
  await look(page, 'admin-person-add-wrong');
  await admin.dialog.getByRole('button', { name: t('common-cancel') }).click();

  await add(admin, { name: 'Åse Ødegård', unit: '1202', email: 'ase@example.org' });
  await page.getByRole('searchbox').focus();
  await page.keyboard.type('øde');
  await admin.row('Åse Ødegård').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await page.keyboard.press('Enter');
  await peek(admin).getByRole('heading', { name: 'Åse Ødegård' }).waitFor();
  await page.keyboard.press('Escape');
  await peek(admin).waitFor({ state: 'detached' });
  await page.getByRole('searchbox').fill('1202');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
  await admin.row('Rolf Østby').waitFor();
  await page.getByRole('searchbox').fill('qqq');
  await page.getByText(t('admin-people-none-found')).waitFor();
  await look(page, 'admin-people-none-found');
});

scenario('two administrators edit one person at once, and nothing is lost', async (world) => {
  const [first, second] = [await peoplePage(world), await peoplePage(world)];
  for (const admin of [first, second]) {
    await admin.page.getByRole('searchbox').fill('siri dahl');
    await admin.page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
    await admin.row('Siri Dahl').getByRole('button', { name: 'Siri Dahl', exact: true }).click();
    await peek(admin).getByLabel(t('admin-person-email')).waitFor();
  }
  const save = (admin) => peek(admin).getByRole('button', { name: t('admin-person-save') }).click();
  await peek(first).getByLabel(t('admin-person-email')).fill('siri@first.example');
  await peek(first).getByLabel(t('admin-person-phone'), { exact: true }).fill('+47 915 00 111');
  await save(first);
  await first.page.getByText(t('admin-person-saved')).waitFor();

  await peek(second).getByLabel(t('admin-person-email')).fill('siri@second.example');
  await save(second);
  const conflict = second.page.getByRole('dialog', { name: t('admin-ground-conflict') });
  await conflict.waitFor();
  await look(second.page, 'admin-person-conflict');
  await conflict.getByText('siri@second.example').click();
  await conflict.getByRole('button', { name: t('admin-ground-conflict-save') }).click();
  await second.page.getByText(t('admin-person-saved')).waitFor();
  await second.page.reload();
  await second.loaded();
  await second.row('Siri Dahl').getByRole('button', { name: 'Siri Dahl', exact: true }).click();
  await peek(second).getByLabel(t('admin-person-email')).waitFor();
  assert.equal(await peek(second).getByLabel(t('admin-person-email')).inputValue(), 'siri@second.example');
  assert.equal(await peek(second).getByLabel(t('admin-person-phone'), { exact: true }).inputValue(), '+4791500111', 'the other one’s change is kept');
  await look(second.page, 'admin-person', { readme: 'admin-person' });
  await second.page.setViewportSize(SIZES.phone);
  await look(second.page, 'admin-person-phone');
});

scenario('a household moves out with two clicks, and the move is taken back with one', async (world) => {
  const admin = await peoplePage(world);
  const { page } = admin;
  await look(page, 'admin-people', { readme: 'admin-people' });
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-people-phone');
  await fits(page, 'people on a phone');
  await page.setViewportSize(SIZES.desktop);
  await page.getByRole('searchbox').fill('kari hau');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);

  const hand = counted();
  await hand.click(admin.row('Kari Haugen').getByRole('button', { name: t('admin-move-out') }));
  await peek(admin).getByText(t('admin-move-ends')).waitFor();
  await look(page, 'admin-move-out', { readme: 'admin-move-out' });
  await hand.click(peek(admin).getByRole('button', { name: t('admin-move-confirm') }));
  await page.getByText(pattern('admin-move-planned', { unit: '1101' })).waitFor();
  assert.equal(hand.clicks, 2);
  await admin.row('Kari Haugen').getByText(pattern('admin-people-leaves')).waitFor();
  await page.getByRole('heading', { name: t('admin-moves') }).waitFor();
  await look(page, 'admin-move-planned');

  await page.getByRole('button', { name: t('admin-ground-undo') }).click();
  await page.getByText(t('admin-ground-undone')).waitFor();
  await page.getByRole('heading', { name: t('admin-moves') }).waitFor({ state: 'detached' });
  // people and moves are two lists, each asked for by itself
  await admin.row('Kari Haugen').getByText(pattern('admin-people-leaves')).waitFor({ state: 'detached' });
  await admin.row('Kari Haugen').waitFor();
});

scenario('who is suspended is signed out at once, and may come back', async (world) => {
  const bell = world.town.bell('individual');
  const [resident] = bell.residents;
  const app = await world.app(resident);
  const admin = await peoplePage(world);
  await admin.page.getByRole('searchbox').fill(resident.name);
  await admin.page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await admin.row(resident.name).getByRole('button', { name: resident.name, exact: true }).click();
  await peek(admin).getByRole('button', { name: t('admin-person-suspend'), exact: true }).click();
  await admin.page.getByText(t('admin-person-suspended', { name: resident.name })).waitFor();
  await app.page.getByText(t('app-signed-out-elsewhere')).waitFor();
  await admin.page.getByRole('button', { name: t('admin-ground-undo') }).click();
  await admin.page.getByText(t('admin-ground-undone')).waitFor();
  await app.signIn(world.demo.told.app_url);
});

/** Opens the only one whom a text finds. */
async function open(admin, name) {
  const { page } = admin;
  await page.getByRole('searchbox').fill(name);
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await admin.row(name).getByRole('button', { name, exact: true }).click();
  await peek(admin).getByRole('heading', { level: 2, name }).waitFor();
  await admin.loaded();
}

async function undo(page) {
  await page.getByRole('button', { name: t('admin-ground-undo') }).last().click();
  await page.getByText(t('admin-ground-undone')).last().waitFor();
}

scenario('a new person with a home and an invitation is one form, and somebody without a name too', async (world) => {
  const admin = await peoplePage(world);
  const { page } = admin;
  await page.getByRole('button', { name: t('admin-person-add') }).click();
  await admin.dialog.getByText(t('admin-person-anonymous-text')).waitFor();
  await look(page, 'admin-person-add-anonymous');
  const hand = counted();
  await admin.dialog.getByLabel(t('admin-unit'), { exact: true }).selectOption({ label: '1203' });
  await hand.click(admin.dialog.getByRole('button', { name: t('admin-person-add') }));
  await admin.dialog.getByText(/#invite=/).waitFor();
  assert.equal(hand.clicks, 1);
  await look(page, 'admin-person-added-link');
  await admin.dialog.getByRole('button', { name: t('common-close') }).click();
  const name = t('admin-person-anonymous-in', { unit: '1203' });
  await page.getByRole('searchbox').fill('1203');
  await admin.row(name).getByRole('button', { name, exact: true }).click();
  await peek(admin).getByText(t('admin-person-anonymous-text')).waitFor();
  await admin.loaded();
  await look(page, 'admin-person-anonymous');
});

scenario('homes are given, taken back with undo, and changed from flat to flat in one step', async (world) => {
  const admin = await peoplePage(world);
  const { page } = admin;
  await add(admin, { name: 'Turid Flytter', unit: '1301' });
  await add(admin, { name: 'Nils Flytter', unit: '1301' });
  await open(admin, 'Turid Flytter');
  const homes = peek(admin).getByRole('region', { name: t('admin-person-homes') });
  const lives = (...units) => page.waitForFunction(
    (wanted) => [...document.querySelectorAll('dialog.peek section:first-of-type li strong')].map(({ textContent }) => textContent).join() === wanted,
    units.join(),
  );
  await homes.getByRole('button', { name: t('admin-home-add') }).click();
  await homes.getByLabel(t('admin-unit'), { exact: true }).selectOption({ label: '1302' });
  await look(page, 'admin-person-home-add');
  await homes.getByRole('button', { name: t('admin-home-give'), exact: true }).click();
  await lives('1301', '1302');
  await homes.getByRole('button', { name: `${t('admin-home-take')}: 1302` }).click();
  await lives('1301');
  await undo(page);
  await lives('1301', '1302');
  await homes.getByRole('button', { name: t('admin-home-decide'), exact: true }).last().click();
  await homes.getByText(t('admin-person-owner-short')).waitFor();
  await homes.getByRole('button', { name: `${t('admin-home-take')}: 1302` }).click();
  await lives('1301');

  // one of two who live together goes to another flat, at once
  const hand = counted();
  await hand.click(homes.getByRole('button', { name: `${t('admin-move-change')}: 1301` }));
  await peek(admin).getByLabel(t('admin-move-to')).selectOption({ label: '1303' });
  await look(page, 'admin-move-change');
  await hand.click(peek(admin).getByRole('button', { name: t('admin-move-confirm') }));
  await page.getByText(t('admin-move-changed', { from: '1301', to: '1303' })).waitFor();
  assert.equal(hand.clicks, 2);
  await admin.row('Turid Flytter').getByText('1303').waitFor();
  await undo(page);
  await admin.row('Turid Flytter').getByText('1301').waitFor();

  // the household: each leads to the other
  await open(admin, 'Turid Flytter');
  await homes.getByRole('button', { name: 'Nils Flytter' }).click();
  await peek(admin).getByRole('heading', { level: 2, name: 'Nils Flytter' }).waitFor();
  await admin.loaded();
  await look(page, 'admin-person-household');
});

scenario('a household of two moves in on a day; taken back, nobody of them is left', async (world) => {
  const admin = await peoplePage(world);
  const { page } = admin;
  await page.getByRole('button', { name: t('admin-move-in-add') }).click();
  const { dialog } = admin;
  await dialog.getByLabel(t('admin-unit'), { exact: true }).selectOption({ label: '1401' });
  const day = dialog.getByLabel(t('admin-move-in-day'));
  await day.waitFor();
  const today = await day.inputValue();
  await day.fill(new Date(Date.parse(today) + 20 * 86_400_000).toISOString().slice(0, 10));
  await dialog.getByLabel(t('admin-name')).fill('Eva Innflytter');
  await dialog.getByRole('button', { name: t('admin-move-in-another') }).click();
  const second = dialog.getByRole('group', { name: t('admin-move-in-person', { number: 2 }) });
  assert.ok(await second.getByLabel(t('admin-name')).evaluate((field) => field === document.activeElement), 'the focus is in the new row');
  await page.keyboard.type('Adam Innflytter');
  await second.getByLabel(t('admin-person-phone'), { exact: true }).fill('call me');
  await dialog.getByRole('button', { name: t('admin-move-in-add') }).click();
  await second.getByText(t('error-not-a-phone')).waitFor();
  await second.getByLabel(t('admin-person-phone'), { exact: true }).fill('');
  await second.getByLabel(t('admin-person-email')).fill('adam@example.org');
  await look(page, 'admin-move-in');
  await dialog.getByRole('button', { name: t('admin-move-in-add') }).click();
  await page.getByText(pattern('admin-move-in-planned', { unit: '1401' })).waitFor();
  const planned = page.getByRole('region', { name: t('admin-moves') }).getByRole('listitem').filter({ hasText: 'Eva Innflytter, Adam Innflytter' });
  await planned.waitFor();
  await look(page, 'admin-move-in-planned');
  await planned.getByRole('button').click();
  await page.getByText(t('admin-move-taken-back-people')).waitFor();
  const { items } = await (await page.request.get(`${world.demo.origin}/api/v1/people?text=innflytter`)).json();
  assert.deepEqual(items, []);
});

scenario('“move out” in the palette, Enter, Enter', async (world) => {
  const admin = await peoplePage(world);
  const { page } = admin;
  await add(admin, { name: 'Vigdis Xaver', unit: '1402' });
  await page.keyboard.press('Control+k');
  await page.keyboard.type(`${t('admin-move-out').toLowerCase()} xaver`);
  await page.getByRole('listbox').getByRole('option', { name: `${t('admin-move-out')}: Vigdis Xaver` }).waitFor();
  await page.keyboard.press('Enter');
  await peek(admin).getByRole('button', { name: t('admin-move-confirm') }).and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await page.getByText(pattern('admin-move-planned', { unit: '1402' })).waitFor();
  await undo(page);
});

scenario('the proof of a move prints on one page, and names nobody', async (world) => {
  const admin = await peoplePage(world);
  const { page } = admin;
  await add(admin, { name: 'Petra Bevis', unit: '2602' });
  await open(admin, 'Petra Bevis');
  await peek(admin).getByRole('button', { name: `${t('admin-move-change')}: 2602` }).click();
  await peek(admin).getByLabel(t('admin-move-to')).selectOption({ label: '2603' });
  await peek(admin).getByRole('button', { name: t('admin-move-confirm') }).click();
  await page.getByText(t('admin-move-changed', { from: '2602', to: '2603' })).waitFor();
  await page.getByRole('button', { name: `${t('admin-move-proof')}: 2602` }).first().click();
  await peek(admin).getByText(t('admin-move-proof-moved-on')).waitFor();
  await look(page, 'admin-move-proof');
  const pdf = (await page.pdf({ format: 'A4' })).toString('latin1');
  assert.equal(pdf.match(/\/Type\s*\/Page[^s]/g).length, 1, 'pages');
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize({ width: 794, height: 1123 });
  await page.screenshot({ path: new URL('../screens/admin-move-proof-paper.png', import.meta.url).pathname });
  const paper = await page.locator('.proof').evaluate((proof) => proof.getBoundingClientRect().toJSON());
  assert.ok(paper.left >= 0 && paper.left < 10 && paper.width > 600, `it does not fill the paper: ${JSON.stringify(paper)}`);
  const text = await page.evaluate(() => document.body.innerText);
  assert.match(text, new RegExp(`${t('admin-move-proof-title')}[^]*2602`));
  assert.doesNotMatch(text, /Petra/);
  assert.equal(await page.getByRole('navigation').count(), 0);
  await page.emulateMedia({ media: 'screen' });
});

scenario('the list by keys: found, gone through, selected, moved out together, and as a file', async (world) => {
  const admin = await peoplePage(world);
  const { page } = admin;
  await add(admin, { name: '=2+5 Tastatur', unit: '3501' });
  await add(admin, { name: 'Zita Tastatur', unit: '3901' });
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: t('admin-ground-keys') }).waitFor();
  await look(page, 'admin-keys');
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  await page.getByRole('searchbox').and(page.locator(':focus')).waitFor();
  await page.keyboard.type('tastatur');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);

  await page.getByRole('rowheader').first().getByRole('button').focus();
  await page.keyboard.press('e');
  await peek(admin).getByRole('heading', { level: 2, name: '=2+5 Tastatur' }).waitFor();
  await page.keyboard.press('Escape');
  await peek(admin).waitFor({ state: 'detached' });
  await page.getByRole('rowheader').first().getByRole('button').and(page.locator(':focus')).waitFor();
  await page.keyboard.press('m');
  await peek(admin).getByRole('heading', { level: 2, name: t('admin-move-out-of', { unit: '3501' }) }).waitFor();
  await page.keyboard.press('Escape');
  await peek(admin).waitFor({ state: 'detached' });
  await page.getByRole('rowheader').first().getByRole('button').and(page.locator(':focus')).waitFor();
  await page.keyboard.press('x');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  const bulk = page.getByRole('group', { name: '2' }).first();
  await bulk.waitFor();
  await look(page, 'admin-people-selected', { readme: 'admin-selected' });

  const columns = page.getByText(t('admin-ground-columns'), { exact: true });
  await columns.click();
  await page.getByRole('checkbox', { name: t('admin-building'), exact: true }).check();
  await look(page, 'admin-people-columns');
  await page.keyboard.press('Escape');
  await page.getByRole('columnheader', { name: t('admin-building') }).waitFor();

  const [file] = await Promise.all([page.waitForEvent('download'), bulk.getByRole('button', { name: t('admin-people-csv') }).click()]);
  const lines = (await readFile(await file.path(), 'utf8')).split('\r\n');
  assert.match(lines[0], new RegExp(`^\u{feff}${t('admin-name')},.*,${t('admin-building')}$`, 'u'));
  assert.match(lines[1], /^'=2\+5 Tastatur,3501,/);
  assert.match(lines[2], /^Zita Tastatur,3901,/);

  await bulk.getByRole('button', { name: t('admin-move-out') }).click();
  await admin.dialog.getByText('Zita Tastatur').waitFor();
  await admin.dialog.getByRole('button', { name: t('admin-move-confirm') }).and(page.locator(':enabled')).waitFor();
  await look(page, 'admin-people-move-many');
  await admin.dialog.getByRole('button', { name: t('admin-move-confirm') }).click();
  await page.waitForFunction((words) => [...document.querySelectorAll('#moves ~ ul button')].filter(({ textContent }) => textContent.trim() === words).length === 2, t('admin-move-take-back'));
  await bulk.waitFor({ state: 'detached' });
  await undo(page);
  await page.getByRole('button', { name: pattern('admin-move-take-back') }).first().waitFor({ state: 'detached' });

  await page.reload();
  await admin.loaded();
  await page.getByRole('columnheader', { name: t('admin-building') }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('text'), 'tastatur');
});

scenario('a list of units is a file too, narrowed and in the order that is shown', async (world) => {
  const admin = await peoplePage(world);
  const { page } = admin;
  await admin.section('admin-section-units');
  await page.getByRole('searchbox').fill('11');
  await page.waitForFunction(() => [...document.querySelectorAll('[role=rowheader]')].every((cell) => cell.textContent.trim().startsWith('11')));
  const rows = await page.getByRole('rowheader').allInnerTexts();
  assert.ok(rows.length > 1);
  await page.getByRole('columnheader').first().getByRole('button').click();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: t('admin-ground-csv') }).click()]);
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
  assert.equal(lines.length, rows.length + 1);
  assert.deepEqual(lines.slice(1).map((line) => line.split(',')[0]), rows.map((row) => row.trim()).toSorted().reverse());
});

scenario('an auditor reads and is offered no change; a manager sees the role on the person’s page', async (world) => {
  const admin = await peoplePage(world);
  const { page } = admin;
  const { origin } = world.demo;
  const building = new URL(page.url()).pathname.split('/')[3];
  const kari = world.demo.told.sign_ins.find(({ user_name }) => user_name === 'kari');
  const { items: [person] } = await (await page.request.get(`${origin}/api/v1/people?text=${encodeURIComponent(kari.name)}`)).json();
  const role = await page.request.post(`${origin}/api/v1/roles`, {
    headers: { origin },
    data: { person: person.id, role: 'auditor', building, ends_at: Date.now() + 30 * 86_400_000 },
  });
  assert.ok(role.ok(), await role.text());
  await open(admin, kari.name);
  await peek(admin).getByRole('region', { name: t('admin-section-roles') }).getByText(t('admin-role-auditor')).waitFor();

  const auditor = new Admin(await world.page('desktop'));
  await auditor.page.goto(world.demo.told.admin_url);
  await auditor.page.getByLabel(t('app-user-name')).fill(kari.user_name);
  await auditor.page.getByLabel(t('app-password'), { exact: true }).fill(kari.password);
  await auditor.page.getByRole('button', { name: t('app-sign-in'), exact: true }).click();
  await auditor.accept();
  await auditor.page.goto(`${origin}/admin/buildings/${building}/people`);
  await auditor.loaded();
  await open(auditor, kari.name);
  await look(auditor.page, 'admin-person-auditor');
  const offered = await auditor.page.locator('main button:visible, dialog.peek button:visible').allInnerTexts();
  const changes = ['admin-person-add', 'admin-move-in-add', 'admin-move-out', 'admin-move-change', 'admin-home-add', 'admin-home-take', 'admin-home-decide', 'admin-person-save', 'admin-person-suspend', 'admin-invite-send', 'admin-invite-again', 'admin-invite-show'].map((key) => t(key));
  assert.deepEqual(offered.filter((words) => changes.includes(words.trim())), []);
  const refused = await auditor.page.request.put(`${origin}/api/v1/people/${person.id}/suspension`, { headers: { origin } });
  assert.ok([403, 404].includes(refused.status()), `${refused.status()}`);
});
