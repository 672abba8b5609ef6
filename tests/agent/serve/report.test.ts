import { layOut } from '../../../driver/agent/haproxy/layout';
import { parseStats } from '../../../driver/agent/haproxy/stats';
import { buildReport } from '../../../driver/agent/serve/report';
import type { MonitorSpec } from '../../../driver/protocol/spec';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../../support/agentSpecs';

const HEADER = '# pxname,svname,scur,slim,stot,bin,bout,ereq,status,weight,check_status,last_chk';

function report(
  server: string,
  monitor: MonitorSpec | null,
  over: { newcomer?: boolean; pinged?: 'UP' | 'DOWN' } = {},
) {
  const layout = layOut(aSpec({ listeners: [aListener()], pools: [aPool({ members: [aMember()], monitor })] }));
  const rows = parseStats(
    [
      HEADER,
      'listener-1,FRONTEND,3,3,,,,,OPEN,,,',
      `pool-1,member-1,0,,0,0,0,,${server},`,
      `pool-1,BACKEND,0,,0,0,0,,${server.startsWith('UP') ? 'UP' : 'DOWN'},1,,"a, b"`,
      '',
    ].join('\n'),
  );
  const newcomers = new Set(over.newcomer ? ['pool-1/member-1'] : []);
  return buildReport(rows, { generation: 7, layout, newcomers, pinged: () => over.pinged ?? null });
}

it('says that a listener at its limit is full', () => {
  expect(report('UP,1,L7OK', aMonitor()).listeners).toEqual({ 'listener-1': 'FULL' });
});

it.each([
  ['UP', 'UP,1,L7OK'],
  ['UP', 'UP 1/3,1,L4OK'],
  ['DRAIN', 'UP,0,L7OK'],
  ['DRAIN', 'DRAIN,1,L7OK'],
  ['DOWN', 'DOWN 1/2,1,L4CON'],
  ['MAINT', 'MAINT,1,L7OK'],
  ['RESTARTING', 'UP,1,INI'],
])('reports a checked member %s when haproxy says %s', (state, server) => {
  expect(report(server, aMonitor()).pools['pool-1']?.members).toEqual({ 'member-1': state });
});

it('reports a member nobody checks as such, and a drained newcomer as starting without its pool as down', () => {
  expect(report('no check,1,', null).pools['pool-1']?.members).toEqual({ 'member-1': 'NO_CHECK' });
  expect(report('DRAIN,1,INI', aMonitor(), { newcomer: true }).pools['pool-1']).toEqual({
    state: 'UP',
    members: { 'member-1': 'RESTARTING' },
  });
});

it('takes the state of a pinged member from its pings', () => {
  const ping = aMonitor({ type: 'PING' });
  expect(report('no check,1,', ping).pools['pool-1']?.members).toEqual({ 'member-1': 'RESTARTING' });
  expect(report('no check,1,', ping, { pinged: 'UP' }).pools['pool-1']?.members).toEqual({ 'member-1': 'UP' });
  expect(report('DOWN,1,', ping, { pinged: 'DOWN' }).pools['pool-1']?.members).toEqual({ 'member-1': 'DOWN' });
});
