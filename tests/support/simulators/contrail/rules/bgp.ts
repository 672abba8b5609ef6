import { badRequest } from '../fault';
import { type Json, memberOf } from '../json';
import type { Site } from '../site';
import { type Rules, valueAfter } from './rules';

/** Largest AS that fits into two bytes. */
const TWO_BYTES = 0xffff;

export const BGPAAS_RULES: Rules = {
  check(site, { properties }) {
    const value = (name: string): Json => properties.get(name) ?? null;
    refuse(site, value('autonomous_system'), value('bgpaas_session_attributes'));
    if (value('bgpaas_shared') === true && value('bgpaas_ip_address') === null) {
      throw badRequest('BGPaaS IP Address needs to be configured if BGPaaS is shared');
    }
  },
  change(site, service, change) {
    const shared = valueAfter(service, change, 'bgpaas_shared') === true;
    if (shared !== (service.properties.get('bgpaas_shared') === true)) {
      throw badRequest('BGPaaS sharing cannot be modified');
    }
    const changed = (name: string): Json => change.properties.get(name) ?? null;
    refuse(site, changed('autonomous_system'), changed('bgpaas_session_attributes'));
  },
};

function refuse({ db }: Site, asn: Json, session: Json): void {
  const system = db.named('global-system-config', ['default-global-system-config']);
  if (Number(asn) > TWO_BYTES && system?.properties.get('enable_4byte_as') !== true) {
    throw badRequest('ASN out of range, should be between 1-0xFFFF');
  }
  const hold = memberOf(session, 'hold_time');
  if (hold === 1 || hold === 2) {
    throw badRequest('BGPaaS: Hold Time MUST be either zero or at least three seconds');
  }
}
