// Who lives behind which button of the demo's town, as the administrator's API tells it.

/** A bell with the panel it hangs on and the demo residents who can sign in behind it, in ringing order. */
export class Town {
  /** The name of the largest building. */
  building;
  /** [{ kind, label, unit, members: [label], panel: { name, url }, residents: [sign_in] }] */
  bells;

  static async read(demo, request) {
    const get = async (path) => {
      const answer = await request.get(`${demo.origin}/api/v1${path}`);
      if (!answer.ok()) throw new Error(`GET ${path}: ${answer.status()} ${await answer.text()}`);
      return answer.json();
    };
    const whole = async (path) => {
      const rows = [];
      let cursor = '';
      do {
        const page = await get(`${path}?limit=200${cursor && `&cursor=${cursor}`}`);
        rows.push(...page.items);
        cursor = page.next;
      } while (cursor);
      return rows;
    };
    const { administrator, panel_urls, sign_ins } = demo.told;
    const answer = await request.post(`${demo.origin}/api/v1/session`, {
      headers: { origin: demo.origin },
      data: { user_name: administrator.user_name, password: administrator.password, device_name: 'tests' },
    });
    if (!answer.ok()) throw new Error(`the administrator can not sign in: ${answer.status()} ${await answer.text()}`);

    const town = new Town();
    town.bells = [];
    let most = 0;
    for (const building of await get('/buildings')) {
      const of = `/buildings/${building.id}`;
      const [units, panels, bells] = await Promise.all([whole(`${of}/units`), get(`${of}/panels`), whole(`${of}/bells`)]);
      if (bells.length > most) [most, town.building] = [bells.length, building.name];
      for (const bell of bells) {
        const panel = panels.find(({ id }) => id === bell.panel);
        const unit = units.find(({ id }) => id === bell.unit);
        const told = panel_urls.find(({ name }) => name === panel.name || name === `${building.name}: ${panel.name}`);
        if (!told) continue;
        const here = sign_ins.filter((resident) => resident.unit === unit.number);
        // those whom the button rings, in its order
        const residents = bell.members.flatMap((member) => here.find(({ name }) => name.includes(member) || member.includes(name)) ?? []);
        town.bells.push({ id: bell.id, building: building.id, house: building.name, kind: bell.kind, label: bell.label, unit: unit.number, members: bell.members, panel: told, residents });
      }
    }
    return town;
  }

  /** A bell of this kind with at least so many residents who can sign in. */
  bell(kind, residents = 1) {
    const found = this.bells.find((bell) => bell.kind === kind && bell.residents.length >= residents);
    if (found) return found;
    const known = this.bells.map((bell) => `${bell.kind} ${bell.label} (${bell.residents.length})`).join(', ');
    throw new Error(`the demo has no ${kind} bell with ${residents} residents to sign in; it has: ${known}`);
  }

  /** Any bell of the panel with the most of them. */
  crowded() {
    const names = this.bells.map(({ panel }) => panel.name);
    const count = (name) => names.filter((other) => other === name).length;
    return this.bells.toSorted((a, b) => count(b.panel.name) - count(a.panel.name))[0];
  }
}
