import type { Row } from './row';
import { batchRows } from './rows/batch';
import { graphRows } from './rows/graph';
import { insertHeaderRows } from './rows/insertHeaders';
import { ipv6Rows } from './rows/ipv6';
import { l7PolicyRows } from './rows/l7policy';
import { l7RuleRows } from './rows/l7rule';
import { listenerRows } from './rows/listener';
import { listenerLimitRows } from './rows/listenerLimits';
import { loadBalancerRows } from './rows/loadBalancer';
import { memberRows } from './rows/member';
import { monitorRows } from './rows/monitor';
import { monitorRequestRows } from './rows/monitorRequest';
import { pairRows } from './rows/pairs';
import { persistenceRows } from './rows/persistence';
import { poolRows } from './rows/pool';
import { prometheusRows } from './rows/prometheus';
import { refusedRows } from './rows/refused';
import { tlsClientRows } from './rows/tlsClients';
import { tlsListenerRows } from './rows/tlsListener';
import { tlsPoolRows } from './rows/tlsPool';
import { udpRows } from './rows/udp';
import { udpSettingRows } from './rows/udpSettings';

/** The rows by the suite that runs them (`<name>.traffic.ts`), each against a site of its own. */
export const TABLE = {
  loadBalancer: [...loadBalancerRows, ...graphRows, ...ipv6Rows],
  listener: [...listenerRows, ...listenerLimitRows, ...insertHeaderRows],
  pool: [...poolRows, ...pairRows, ...persistenceRows],
  member: [...memberRows, ...batchRows],
  monitor: [...monitorRows, ...monitorRequestRows],
  l7: [...l7PolicyRows, ...l7RuleRows],
  tls: [...tlsListenerRows, ...tlsClientRows, ...tlsPoolRows],
  other: [...udpRows, ...udpSettingRows, ...prometheusRows, ...refusedRows],
} satisfies Record<string, readonly Row[]>;
