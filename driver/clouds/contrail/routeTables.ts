import { z } from 'zod';
import type { RouteTable } from './port';
import { idsOf, marked } from './views';
import type { FqName, Vnc, VncObject } from './vnc';

const TYPE = 'interface-route-table';
const PORT = 'virtual-machine-interface';
const ROUTES = 'interface_route_table_routes';

const Routes = z.looseObject({ route: z.array(z.looseObject({ prefix: z.string() })).nullish() });

export function routeTableCalls(vnc: Vnc) {
  const linkOf = (id: string, portId: string) => ({ type: PORT, id: portId, refType: TYPE, refId: id });
  return {
    async findRouteTable(id: string): Promise<RouteTable | undefined> {
      const found = await vnc.read(TYPE, id, { fields: [ROUTES, 'virtual_machine_interface_back_refs'] });
      return found && toTable(found);
    },
    async putRouteTable(table: RouteTable & { readonly project: FqName; readonly ownerId: string }): Promise<void> {
      const { id, project, prefixes, ownerId } = table;
      const members = { [ROUTES]: { route: prefixes.map((prefix) => ({ prefix })) } };
      const object = { id, fqName: [...project, `slipstream-${ownerId}`], parentType: 'project' };
      const { made } = await vnc.create(TYPE, { ...object, members: { ...members, ...marked(ownerId) } });
      if (!made) await vnc.update(TYPE, id, members);
    },
    linkRouteTable: (id: string, portId: string) => vnc.link(linkOf(id, portId)),
    unlinkRouteTable: (id: string, portId: string) => vnc.unlink(linkOf(id, portId)),
    deleteRouteTable: (id: string) => vnc.remove(TYPE, id),
  };
}

function toTable(object: VncObject): RouteTable {
  const routes = Routes.safeParse(object[ROUTES] ?? {});
  return {
    id: object.uuid,
    prefixes: routes.success ? (routes.data.route ?? []).map(({ prefix }) => prefix) : [],
    portIds: idsOf(object, 'virtual_machine_interface_back_refs'),
  };
}
