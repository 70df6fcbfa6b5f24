// A gate for several houses: homes of two entrances have the same number, and a visitor rings the right one.

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
  const [units, entrances] = await Promise.all(['units', 'entrances'].map((list) => get(`/buildings/${building.id}/${list}`)));
  const at = (bell) => units.find(({ number }) => number === bell.unit)?.entrance;
  const rings = world.town.bells.filter((bell) => bell.kind === 'parallel' && bell.residents.length > 0);
  const gate = rings.filter(({ panel }) => panel.name.endsWith('Gate'));
  const first = gate[0];
  const second = gate.find((bell) => at(bell) !== at(first));
  assert.ok(first && second, gate.map(({ label, unit }) => `${label} ${unit}`).join());

  // the second house numbers its homes like the first
  const unit = units.find(({ number }) => number === second.unit);
  const { version } = await get(`/units/${unit.id}`);
  const changed = await api.patch(`${origin}/api/v1/units/${unit.id}`, { headers: { origin }, data: { version, number: first.unit } });
  assert.equal(changed.status(), 200, await changed.text());

  const named = (bell) => ({ ...bell, unit: `${entrances.find(({ id }) => id === at(bell)).name} · ${first.unit}` });
  const panel = await world.panel(first);
  const [one, other] = [await world.app(first.residents[0]), await world.app(second.residents[0])];
  await panel.ring(named(second));
  await other.rings();
  await one.isQuiet();
  await other.openDoor();
  await panel.showsOpen();
  await panel.backToNames();
  await look(panel.page, 'panel-gate-two-houses');
  await panel.ring(named(first));
  await one.rings();
  await panel.cancel();
}, { fresh: true });
