// People come in by a list, are invited by mail, and set their password.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { fits, look } from '../support/looks.mjs';
import { mail } from '../support/mail.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';
import { workbook } from '../support/workbook.mjs';

const scenario = scenarios();
const HEAD = ['Navn', 'E-post', 'Mobil', 'Leilighet', 'Notat'];

const csv = (rows) => [HEAD, ...rows].map((row) => row.join(';')).join('\r\n') + '\r\n';

/** How long an invitation may wait to be sent. Generous: it ends a test that fails, it never times one. */
const SENT_WITHIN_MS = 30_000;

/** Waits until nobody of these waits for their invitation any more; gives the mails of the demo. */
async function mails(page, folder, people) {
  const late = performance.now() + SENT_WITHIN_MS;
  for (;;) {
    const states = await page.evaluate(
      (ids) =>
        Promise.all(
          ids.map(async (id) => {
            const answer = await fetch(`/api/v1/people/${id}/invitation`);
            return answer.ok ? (await answer.json()).state : answer.status;
          }),
        ),
      people,
    );
    const files = await readdir(folder).catch(() => []);
    // the link is made before its mail is handed in
    if (states.every((state) => state === 'open') && files.length >= people.length) {
      return Promise.all(files.sort().map((file) => mail(join(folder, file))));
    }
    if (performance.now() > late) throw new Error(`${files.length} mails for ${people.length}: ${states.join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A list that is applied for seconds, and not for a part of one. */
const MANY = 20_000;

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
    const list = new URL(page.url()).searchParams.get('list');
    const { people } = await page.evaluate(async (id) => (await fetch(`/api/v1/imports/${id}`)).json(), list);
    assert.equal(people.length, 2);
    const sent = await mails(page, world.demo.told.mail_folder, people);
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

scenario(
  'a long list goes on while the page is away; a second wish is told so; a server that is killed leaves nothing half',
  async (world) => {
    const admin = new ImportPage(await world.page('desktop'));
    const { page } = admin;
    await admin.open(world);
    const rows = Array.from({ length: MANY }, (_, n) => [`Person ${n}`, `p${n}@example.org`, '', '1101', '']);
    await admin.read('mange.csv', csv(rows));
    await admin.count('new', MANY);
    const going = () => page.getByRole('heading', { name: t('admin-import-applying') });
    const far = page.getByRole('progressbar', { name: t('admin-import-applying') });
    await admin.button('admin-import-apply').click();
    await going().waitFor();
    // whoever asks meanwhile is told
    const id = new URL(page.url()).searchParams.get('list');
    const second = await page.evaluate(async (list) => {
      const answer = await fetch(`/api/v1/imports/${list}/apply`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ leave_out_errors: true }),
      });
      return { status: answer.status, code: (await answer.json()).code };
    }, id);
    assert.deepEqual(second, { status: 409, code: 'import_under_way' });

    // a reload finds it as far as it is
    await page.reload();
    await going().waitFor();

    await world.demo.kill();
    await world.demo.restart();
    await page.getByText(t('admin-import-failed-interrupted')).waitFor();
    await admin.count('new', MANY);
    await look(page, 'admin-import-interrupted');

    await admin.button('admin-import-apply').click();
    await far.and(page.locator('[max]')).waitFor();
    await page.setViewportSize(SIZES.phone);
    await look(page, 'admin-import-applying-phone');
    await fits(page, 'import that goes on, phone');
    await page.setViewportSize(SIZES.desktop);
    await look(page, 'admin-import-applying');
    await page.getByText(t('admin-import-applied'), { exact: true }).waitFor({ timeout: 120_000 });
    await page.getByText(t('admin-import-applied-text', { people: MANY.toLocaleString('en'), homes: 0 })).waitFor();
    await admin.button('admin-import-undo').click();
    await page.getByRole('heading', { name: t('admin-import-undoing') }).waitFor();
    await page.getByText(t('admin-import-undone')).waitFor({ timeout: 120_000 });
    await page.getByText(t('admin-import-file'), { exact: true }).waitFor();
  },
  { fresh: true },
);

scenario(
  'homes that the building does not have are made when somebody says so, and go when it is undone',
  async (world) => {
    const admin = new ImportPage(await world.page('desktop'));
    const { page } = admin;
    await admin.open(world);
    const entrance = await page.evaluate(async (building) => {
      const all = await (await fetch(`/api/v1/buildings/${building}/entrances`)).json();
      return all[0].name;
    }, new URL(page.url()).pathname.split('/')[3]);
    const head = ['Navn', 'Leilighet', 'Oppgang'];
    const rows = [
      ['Kari Ny', '9901', entrance],
      ['Ola Ny', '9901', entrance],
      ['Siv Ny', '9902', entrance],
    ];
    await admin.read('nye.csv', [head, ...rows].map((row) => row.join(';')).join('\r\n'));
    await admin.count('error', 3);
    const homes = t('admin-import-homes-behind', { name: entrance, count: 2 });
    await page.getByText(t('admin-import-homes-text', { homes })).waitFor();
    const make = page.getByLabel(t('admin-import-homes-make'));
    assert.equal(await make.isChecked(), false, 'off unless somebody says so');
    await look(page, 'admin-import-homes');
    await make.check();
    await admin.count('new', 3);
    assert.equal(await make.isChecked(), true);
    await page.setViewportSize(SIZES.phone);
    await look(page, 'admin-import-homes-phone');
    await fits(page, 'homes that are missing, phone');
    await page.setViewportSize(SIZES.desktop);
    await admin.button('admin-import-apply').click();
    await page.getByText(t('admin-import-applied-text', { people: 3, homes: 2 })).waitFor();
    const list = page.url();
    await admin.section('admin-section-units');
    await admin.row('9901').waitFor();
    await page.goto(list);
    await admin.button('admin-import-undo').click();
    await page.getByText(t('admin-import-undone')).waitFor();
    await admin.section('admin-section-units');
    await admin.row('1101').first().waitFor();
    assert.equal(await admin.row('9901').count(), 0);
  },
  { fresh: true },
);
