import ipaddr from 'ipaddr.js';
import type { RoutingOptions, StaticRoute } from '../domain/vnic';
import type { Config } from './config';
import { BadValueError } from './errors';

/** How engines choose networks. @throws BadValueError for a route that is none */
export function readRouting({ service_engine: given }: Pick<Config, 'service_engine'>): RoutingOptions {
  return {
    staticRoutes: given.static_routes.map(readRoute),
    preferStaticRoutes: given.prefer_static_routes,
    enableVipStaticRoutes: given.enable_vip_static_routes,
  };
}

const EXPECTED = '`<CIDR> <next hop> <subnet id>`, the first two of one IP version';

function readRoute(text: string): StaticRoute {
  const [destination = '', nextHop = '', subnetId = '', ...rest] = text.trim().split(/\s+/);
  const valid = ipaddr.isValidCIDR(destination) && ipaddr.isValid(nextHop) && subnetId !== '' && rest.length === 0;
  if (!valid || ipaddr.parseCIDR(destination)[0].kind() !== ipaddr.parse(nextHop).kind()) {
    throw new BadValueError('service_engine', 'static_routes', text, EXPECTED);
  }
  return { destination, nextHop, subnetId };
}
