// A gate for several houses: homes of two entrances have the same number, and a visitor rings the right one.
// Runs alone: a call, and a door that opens.

import assert from 'node:assert/strict';
import { look } from '../support/looks.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

scenario('two homes with one number ring each by its own at the gate', async (world) => {
  const { origin, told } = world.demo;
  const api = (await world.page('desktop')).context().request;
  const { user_name, password } = told.administrator;
  await api.post(`${origin}/api/v1/session`, { headers: { origin }, data: { user_name, password, device_name: 'tests' } });
  const get = async (path) => (await api.get(`${origin}/api/v1${path}`)).json();
  const building = (await get('/buildings')).find(({ name }) => name === world.town.building);
  const [{ items: units }, entrances] = await Promise.all(['units?limit=200', 'entrances'].map((list) => get(`/buildings/${building.id}/${list}`)));
  const gate = world.town.bells.filter((bell) => bell.kind !== 'family' && bell.residents.length > 0 && bell.panel.name.endsWith('Gate'));
  const first = gate[0];
  const second = gate.find((bell) => bell.unit !== first.unit);
  assert.ok(first && second, gate.map(({ label, unit }) => `${label} ${unit}`).join());

  // the second home is in another house, which numbers its homes like the first
  const home = units.find(({ number }) => number === first.unit);
  const unit = units.find(({ number }) => number === second.unit);
  const house = entrances.find(({ id }) => id === home.entrance);
  const other = entrances.find(({ id }) => id !== home.entrance);
  const { version } = await get(`/units/${unit.id}`);
  const data = { version, entrance: other.id, number: first.unit };
  const changed = await api.patch(`${origin}/api/v1/units/${unit.id}`, { headers: { origin }, data });
  assert.equal(changed.status(), 200, await changed.text());

  const panel = await world.panel(first);
  const [one, two] = [await world.app(first.residents[0]), await world.app(second.residents[0])];
  await panel.ring({ ...second, unit: `${other.name} · ${first.unit}` });
  await two.rings();
  await one.isQuiet();
  await two.openDoor();
  await panel.showsOpen();
  await panel.backToNames();
  await look(panel.page, 'panel-gate-two-houses');
  await panel.ring({ ...first, unit: `${house.name} · ${first.unit}` });
  await one.rings();
  await panel.cancel();
}, { fresh: true });
