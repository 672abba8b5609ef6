import type { Client, Commands } from '../commands';
import { columnsOf, LIST_COLUMNS, UUID } from './columns';

const DENIED = 'Policy does not allow this request to be performed. (HTTP 403)';

/** What an operator offers: providers, flavors and availability zones with their profiles. */
export function tellOfCatalogue(client: () => Client): void {
  describe('providers, flavors and availability zones', () => {
    let admin: Commands;
    let member: Commands;
    beforeAll(() => {
      admin = client().as('admin');
      member = client().as('member');
    });

    it('lists providers and what they can do', async () => {
      const providers = await member.list('loadbalancer provider list');
      expect(columnsOf(providers)).toEqual(LIST_COLUMNS.provider);
      expect(providers.map(({ name }) => name)).toEqual(['slipstream', 'octavia', 'amphora']);

      const capabilities = await admin.list('loadbalancer provider capability list slipstream');
      expect(columnsOf(capabilities)).toEqual(LIST_COLUMNS.capability);
      const flavors = await admin.list('loadbalancer provider capability list slipstream --flavor');
      const zones = await admin.list('loadbalancer provider capability list slipstream --availability-zone');
      expect(capabilities).toEqual([...flavors, ...zones]);
      expect(flavors.map(({ name }) => name)).toContain('loadbalancer_topology');
      expect(zones.map(({ name }) => name)).toContain('compute_zone');

      expect(await admin.refused('loadbalancer provider capability list nobody')).toBe(
        "Provider 'nobody' is not enabled. (HTTP 400)",
      );
      expect(await member.refused('loadbalancer provider capability list slipstream')).toBe(DENIED);
    });

    it('creates, changes and lists flavor profiles', async () => {
      const create = 'loadbalancer flavorprofile create --name';
      const data = '{"loadbalancer_topology":"SINGLE"}';
      expect(await admin.show(`${create} single --provider slipstream --flavor-data ${data}`)).toEqual({
        id: expect.stringMatching(UUID),
        name: 'single',
        provider_name: 'slipstream',
        flavor_data: data,
      });
      await admin.ok('loadbalancer flavorprofile set --name one --provider octavia --flavor-data {} single');
      expect(await admin.show('loadbalancer flavorprofile show one')).toMatchObject({
        provider_name: 'octavia',
        flavor_data: '{}',
      });
      const rows = await admin.list('loadbalancer flavorprofile list --name one --provider octavia');
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.flavorprofile);
      expect(rows).toHaveLength(1);

      expect(await admin.refused(`${create} bad --provider slipstream --flavor-data {"nope":1}`)).toBe(
        "Provider 'slipstream' does not support a requested option: The flavor_data key 'nope' is not supported by this provider. (HTTP 501)",
      );
      expect(await admin.refused(`${create} bad --provider slipstream --flavor-data no-json`)).toBe(
        'no-json is not a valid option for flavor_data (HTTP 400)',
      );
      expect(await member.refused(`${create} bad --provider slipstream --flavor-data {}`)).toBe(DENIED);
      expect(await member.refused('loadbalancer flavorprofile list')).toBe(DENIED);
    });

    it('creates flavors, which users may choose', async () => {
      const flavor = await admin.show('loadbalancer flavor create --name small --flavorprofile one --description text');
      expect(flavor).toMatchObject({ name: 'small', enabled: true, description: 'text' });
      const rows = await member.list('loadbalancer flavor list --enable');
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.flavor);
      expect(rows).toEqual([expect.objectContaining({ id: flavor['id'] })]);

      const created = await member.show('loadbalancer create --name flavoured --vip-subnet-id local --flavor small');
      expect(created).toMatchObject({ flavor_id: flavor['id'], provider: 'octavia' });
      expect(await member.list('loadbalancer list --flavor small')).toHaveLength(1);
      expect(await admin.refused('loadbalancer flavor delete small')).toMatch(
        /^Flavor [0-9a-f-]{36} is in use and cannot be modified\. \(HTTP 409\)$/,
      );
      await member.ok('loadbalancer delete --wait flavoured');
    });

    it('changes flavors, and refuses those that are disabled', async () => {
      await admin.ok('loadbalancer flavor set --name tiny --disable small');
      await admin.ok('loadbalancer flavor unset --description tiny');
      expect(await member.show('loadbalancer flavor show tiny')).toMatchObject({ enabled: false, description: '' });
      expect(await member.refused('loadbalancer create --vip-subnet-id local --flavor tiny')).toMatch(
        /^The selected flavor is not allowed in this deployment: [0-9a-f-]{36} \(HTTP 400\)$/,
      );
      expect(await admin.refused('loadbalancer flavor create --name tiny --flavorprofile one')).toBe(
        'A flavor of tiny already exists. (HTTP 409)',
      );
      expect(await admin.refused('loadbalancer flavorprofile delete one')).toMatch(
        /^Flavor profile [0-9a-f-]{36} is in use and cannot be modified\. \(HTTP 409\)$/,
      );
      expect(await member.refused('loadbalancer flavor delete tiny')).toBe(DENIED);
      await admin.ok('loadbalancer flavor delete tiny');
      await admin.ok('loadbalancer flavorprofile delete one');
      expect(await member.list('loadbalancer flavor list')).toEqual([]);
      expect(await admin.list('loadbalancer flavorprofile list')).toEqual([]);
    });

    it('creates, changes and lists profiles of availability zones', async () => {
      const create = 'loadbalancer availabilityzoneprofile create --name';
      const data = '{"compute_zone":"nova"}';
      expect(await admin.show(`${create} rack --provider slipstream --availability-zone-data ${data}`)).toMatchObject({
        name: 'rack',
        provider_name: 'slipstream',
        availability_zone_data: data,
      });
      await admin.ok('loadbalancer availabilityzoneprofile set --name row --provider octavia rack');
      expect(await admin.show('loadbalancer availabilityzoneprofile show row')).toMatchObject({
        provider_name: 'octavia',
      });
      const rows = await admin.list('loadbalancer availabilityzoneprofile list --provider octavia');
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.availabilityzoneprofile);
      expect(rows).toHaveLength(1);
      expect(await admin.refused(`${create} bad --provider slipstream --availability-zone-data {"nope":1}`)).toMatch(
        /\(HTTP 501\)$/,
      );
    });

    it('creates, changes and deletes availability zones', async () => {
      const create = 'loadbalancer availabilityzone create --name west --availabilityzoneprofile row';
      expect(await admin.show(`${create} --description text --disable`)).toMatchObject({
        name: 'west',
        enabled: false,
      });
      expect(await member.refused('loadbalancer create --vip-subnet-id local --availability-zone west')).toBe(
        'The selected availability_zone is not allowed in this deployment: west (HTTP 400)',
      );
      await admin.ok('loadbalancer availabilityzone set --enable --description other west');
      await admin.ok('loadbalancer availabilityzone unset --description west');
      expect(await member.show('loadbalancer availabilityzone show west')).toMatchObject({
        enabled: true,
        description: '',
      });
      const rows = await member.list('loadbalancer availabilityzone list --enable');
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.availabilityzone);

      await member.ok('loadbalancer create --name zoned --vip-subnet-id local --availability-zone west');
      expect(await member.list('loadbalancer list --availability-zone west')).toHaveLength(1);
      expect(await admin.refused('loadbalancer availabilityzone delete west')).toBe(
        'Availability Zone west is in use and cannot be modified. (HTTP 409)',
      );
      await member.ok('loadbalancer delete --wait zoned');
      await admin.ok('loadbalancer availabilityzone delete west');
      await admin.ok('loadbalancer availabilityzoneprofile delete row');
      expect(await admin.list('loadbalancer availabilityzoneprofile list')).toEqual([]);
    });
  });
}
