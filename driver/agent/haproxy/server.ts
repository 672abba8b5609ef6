import type { MemberSpec } from '../../protocol/spec';
import { type Backend, socketAddress } from './layout';
import { checkInterval, checkWords, isCheckedByHaproxy } from './monitor';
import { checkTlsWords, serverTlsWords } from './tls';
import { command, fixed, integer, type Line, line, quote, type Word } from './words';

/** `backend/server`, as the runtime socket names a member. */
export function serverPath(backend: Backend, memberId: string): Word {
  return quote(`${backend.name}/${memberId}`);
}

/** The line of one member. */
export function serverLine(backend: Backend, member: MemberSpec): Line {
  return line(
    { kind: 'member', id: member.id },
    fixed('server'),
    quote(member.id),
    ...serverWords(backend, member, null),
    ...(member.enabled ? [] : [fixed('disabled')]),
  );
}

/**
 * The command that adds a member at run time; it starts in maintenance, with its checks off. `interval` (milliseconds)
 * replaces the monitor's delay when not null.
 */
export function addServerCommand(backend: Backend, member: MemberSpec, interval: number | null): string {
  return command(fixed('add server'), serverPath(backend, member.id), ...serverWords(backend, member, interval));
}

function serverWords(backend: Backend, member: MemberSpec, interval: number | null): Word[] {
  const { monitor, protocol, tls } = backend.pool;
  return [
    quote(socketAddress(member.address, member.port)),
    fixed('id'),
    integer(backend.serverIds.get(member.id) ?? 0),
    fixed('weight'),
    integer(member.weight),
    ...(member.backup ? [fixed('backup')] : []),
    ...(protocol === 'PROXY' ? [fixed('send-proxy')] : []),
    ...(protocol === 'PROXYV2' ? [fixed('send-proxy-v2')] : []),
    ...serverTlsWords(backend.pool, backend.mode),
    ...checkTlsWords(backend.pool, member),
    ...(isCheckedByHaproxy(monitor) ? checkWords(monitor, interval ?? checkInterval(monitor), tls !== null) : []),
    ...(isCheckedByHaproxy(monitor) ? checkTarget(member) : []),
  ];
}

function checkTarget(member: MemberSpec): Word[] {
  return [
    ...(member.monitorAddress === null ? [] : [fixed('addr'), quote(checkAddress(member.monitorAddress))]),
    ...(member.monitorPort === null ? [] : [fixed('port'), integer(member.monitorPort)]),
  ];
}

/** haproxy takes the last colon of an address for the start of a port, brackets or none. */
function checkAddress(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
