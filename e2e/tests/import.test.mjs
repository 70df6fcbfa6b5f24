// People come in by a list, are invited by mail, and set their password.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { fits, look } from '../support/looks.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';
import { workbook } from '../support/workbook.mjs';

const scenario = scenarios();
const HEAD = ['Navn', 'E-post', 'Mobil', 'Leilighet', 'Notat'];

const csv = (rows) => [HEAD, ...rows].map((row) => row.join(';')).join('\r\n') + '\r\n';

/** Python's own mail package reads a mail, as the reader's program would. */
async function mail(file) {
  const script = `
import email, email.policy, json, sys
m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
print(json.dumps({'to': m['to'], 'subject': m['subject'], 'text': m.get_body(('plain',)).get_content(), 'html': m.get_body(('html',)).get_content()}))`;
  const { stdout } = await promisify(execFile)('python3', ['-c', script, file]);
  return JSON.parse(stdout);
}

/** Waits for so many mails of the demo. */
async function mails(folder, count) {
  for (;;) {
    const files = await readdir(folder).catch(() => []);
    if (files.length >= count) return Promise.all(files.sort().map((file) => mail(join(folder, file))));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

class ImportPage extends Admin {
  async open(world) {
    const { admin_url, administrator } = world.demo.told;
    await this.signIn(admin_url, administrator);
    await this.enter(world.town.building);
    await this.section('admin-section-import');
  }

  async read(name, buffer) {
    await this.page.getByLabel(t('admin-import-file'), { exact: true }).setInputFiles({ name, mimeType: '', buffer: Buffer.from(buffer) });
    await this.page.getByRole('heading', { name: t('admin-import-rows') }).waitFor();
  }

  /** How many rows are in a state, as the filters say. */
  async count(status, number) {
    const words = status === 'all' ? t('admin-import-all') : t(`admin-import-status-${status}`);
    await this.page.getByRole('button', { name: `${words} ${number}`, exact: true }).waitFor();
  }

  button(key) {
    return this.page.getByRole('button', { name: t(key), exact: true });
  }

  cell(column, row) {
    return this.page.getByLabel(t('admin-import-cell', { column, row }), { exact: true });
  }

  async fix(row, values) {
    for (const [column, value] of Object.entries(values)) await this.cell(column, row).fill(value);
    await this.page.getByRole('button', { name: t('admin-import-save', { row }) }).click();
    await this.cell(Object.keys(values)[0], row).waitFor({ state: 'hidden' });
  }
}

scenario(
  'a CSV is put right where it stands, applied, is nothing new a second time; who is new sets a password by mail',
  async (world) => {
    const admin = new ImportPage(await world.page('desktop'));
    const { page } = admin;
    await admin.open(world);
    await look(page, 'admin-import-empty');
    const rows = [
      ['Kari Haugen', '', '', '1101', 'bor her alt'],
      ['Åse Sørli', 'ase.sorli@example.org', '915 00 123', '1102', ''],
      ['Øyvind Næss', 'oyvind@example', 'ring meg', '9999', ''],
      ['=HYPERLINK(1)', 'x@example.org', '', '1103', ''],
    ];
    await admin.read('beboere.csv', csv(rows));
    await admin.count('all', 4);
    await admin.count('error', 2);
    await page.getByText(t('admin-import-error-not-a-number')).waitFor();
    await page.getByText(t('admin-import-error-unknown-unit')).waitFor();
    await page.getByText(t('admin-import-error-formula')).waitFor();
    await look(page, 'admin-import-errors', { forced: true, readme: 'admin-import' });
    await fits(page, 'import, desktop');
    await page.setViewportSize(SIZES.phone);
    await look(page, 'admin-import-errors-phone');
    await fits(page, 'import, phone');
    await page.setViewportSize(SIZES.desktop);
    await admin.fix(4, { Mobil: '+47 915 00 124', Leilighet: '1103', 'E-post': 'oyvind@example.org' });
    await admin.count('error', 1);
    await page.getByRole('row').filter({ hasText: '5' }).getByRole('button', { name: t('admin-import-leave-out') }).click();
    await admin.count('left-out', 1);
    await admin.count('new', 2);
    await admin.count('same', 1);
    // the address holds the list: a reload loses nothing
    await page.reload();
    await admin.count('new', 2);
    await look(page, 'admin-import-ready');
    await admin.button('admin-import-apply').click();
    await page.getByText(t('admin-import-applied'), { exact: true }).waitFor();
    await look(page, 'admin-import-applied');
    await admin.button('admin-import-invite').click();
    await page.getByText(t('admin-import-invited', { sent: 2, rest: 0 })).waitFor();

    // each mail has the name as it is written, the user name and a link; nothing comes from elsewhere
    const sent = await mails(world.demo.told.mail_folder, 2);
    const letter = sent.find(({ to }) => to.includes('ase.sorli@example.org'));
    assert.match(letter.to, /Åse Sørli/);
    assert.match(letter.text, /Brukernavnet ditt: ase\.sorli@example\.org/);
    assert.doesNotMatch(letter.html, /src=|<link|<script/);
    const link = /https?:\S+#invite=\S+/.exec(letter.text)[0];
    assert.ok(letter.html.includes(link));

    const phone = await world.page('phone');
    const asked = [];
    phone.on('request', (request) => asked.push(request.url()));
    await phone.goto(link);
    await phone.getByRole('heading', { name: t('app-invited-name', { name: 'Åse Sørli' }) }).waitFor();
    assert.equal(new URL(phone.url()).hash, '', 'the token stays out of the history');
    await look(phone, 'app-invited');
    assert.equal(await phone.getByLabel(t('app-user-name')).inputValue(), 'ase.sorli@example.org');
    await phone.getByLabel(t('app-password'), { exact: true }).fill('ase.sorli@example.org');
    await phone.getByRole('button', { name: t('app-invited-do') }).click();
    await phone.getByText(t('error-holds-user-name')).waitFor();
    await phone.getByLabel(t('app-password'), { exact: true }).fill('gul sykkel i regnet');
    await phone.getByRole('button', { name: t('app-invited-do') }).click();
    await phone.getByRole('link', { name: t('app-tab-me') }).waitFor();
    const token = link.split('#invite=')[1];
    assert.deepEqual(asked.filter((url) => url.includes(token)), [], 'the token is in no address that is asked for');

    // the link is used up; the password works on another device
    const other = await world.page('phone');
    await other.goto(link);
    await other.getByText(t('error-invitation-used')).waitFor();
    await look(other, 'app-invited-used');
    await other.getByRole('button', { name: t('app-sign-in') }).click();
    await other.getByLabel(t('app-user-name')).fill('ase.sorli@example.org');
    await other.getByLabel(t('app-password'), { exact: true }).fill('gul sykkel i regnet');
    await other.getByRole('button', { name: t('app-sign-in'), exact: true }).click();
    await other.getByRole('link', { name: t('app-tab-me') }).waitFor();

    // the same list again is nothing new
    await admin.button('admin-import-another').click();
    rows[2] = ['Øyvind Næss', 'oyvind@example.org', '+4791500124', '1103', ''];
    await admin.read('beboere.csv', csv(rows.slice(0, 3)));
    await admin.count('same', 3);
    await page.getByText(t('admin-import-nothing')).waitFor();
    await admin.button('admin-import-discard').click();
    await page.getByText(t('admin-import-file'), { exact: true }).waitFor();
  },
  { fresh: true },
);

scenario(
  'a workbook is read, a column is named by hand, and the import is undone',
  async (world) => {
    const admin = new ImportPage(await world.page('desktop'));
    const { page } = admin;
    await admin.open(world);
    await admin.read('beboere.xlsx', workbook([['Navn', 'E-post', 'Mobil', 'Nr.', 'Notat'], ['Nils Nilsen', 'nils@example.org', '', 1202, '']]));
    await page.getByText(t('admin-import-missing', { columns: t('admin-import-column-unit') })).waitFor();
    await look(page, 'admin-import-columns');
    await page.getByLabel('Nr.', { exact: true }).selectOption('unit');
    await admin.count('new', 1);
    await admin.button('admin-import-apply').click();
    await page.getByText(t('admin-import-applied'), { exact: true }).waitFor();
    const residents = async () => {
      await admin.section('admin-section-units');
      return admin.row('1202').getByRole('cell').nth(1).innerText();
    };
    const list = page.url();
    const after = await residents();
    assert.match(after, /2/);
    await page.goto(list);
    await admin.button('admin-import-undo').click();
    await page.getByText(t('admin-import-undone')).waitFor();
    assert.match(await residents(), /1/);
  },
  { fresh: true },
);

scenario('what is no list is told in words', async (world) => {
  const admin = new ImportPage(await world.page('desktop'));
  await admin.open(world);
  const file = admin.page.getByLabel(t('admin-import-file'), { exact: true });
  await file.setInputFiles({ name: 'x.xlsx', mimeType: '', buffer: Buffer.from('PK\x03\x04 nothing') });
  await admin.page.getByText(t('error-not-a-list')).waitFor();
  await file.setInputFiles({ name: 'x.csv', mimeType: '', buffer: Buffer.from('Navn;Leilighet\n') });
  await admin.page.getByText(t('error-empty-list')).waitFor();
  await file.setInputFiles({ name: 'x.csv', mimeType: '', buffer: Buffer.alloc(11 * 1024 * 1024, 'a') });
  await admin.page.getByText(t('error-too-large')).waitFor();
  await admin.page.getByText(pattern('admin-import-file')).first().waitFor();
});
