import type { MemberSpec } from '../../protocol/spec';
import { cookieKeyOf } from './backend';
import type { MemberChange } from './change';
import type { Backend } from './layout';
import { isCheckedByHaproxy } from './monitor';
import { addServerCommand, serverPath } from './server';
import { command, fixed, integer, quote } from './words';

/**
 * A command for the runtime socket and what it must answer to have worked. `gone`: a server that is there no more will do,
 * too; one in maintenance whose removal waits may have been deleted meanwhile.
 */
export interface RuntimeCommand {
  readonly text: string;
  readonly expect: 'nothing' | 'registered' | 'deleted' | 'gone';
}

export type ServerState = 'ready' | 'drain' | 'maint';

/** True if the answer is the one that was expected. */
export function hasWorked({ expect }: RuntimeCommand, answer: string): boolean {
  if (expect === 'registered') return answer.startsWith('New server registered');
  if (expect === 'nothing') return answer === '';
  return isDeleted(answer) || (expect === 'gone' && answer === '');
}

/** True if the answer says that the server is there no more. */
export function isDeleted(answer: string): boolean {
  return answer.startsWith('Server deleted') || answer.startsWith('No such server');
}

/** The commands of one change. A member added to a pool that haproxy monitors is drained until it has been checked. */
export function commandsFor({ kind, backend, member }: MemberChange, probeInterval: number): RuntimeCommand[] {
  switch (kind) {
    case 'add':
      return needsFirstCheck(backend, member) ? startProbe(backend, member, probeInterval) : addAtOnce(backend, member);
    case 'remove':
      // It is deleted once its connections have ended.
      return [{ ...setState(backend, member, 'maint'), expect: 'gone' }];
    case 'weight':
      return [setWeight(backend, member)];
    case 'enabled':
      return [setState(backend, member, member.enabled ? 'ready' : 'maint')];
  }
}

/** True for a member that must not get traffic before haproxy has seen it pass a check. */
export function needsFirstCheck(backend: Backend, member: MemberSpec): boolean {
  return member.enabled && backend.pool.membersStartDown && isCheckedByHaproxy(backend.pool.monitor);
}

/** Adds the member drained, with checks `interval` milliseconds apart: its first one would else come after a whole delay. */
export function startProbe(backend: Backend, member: MemberSpec, interval: number): RuntimeCommand[] {
  return [...addServer(backend, member, interval), setState(backend, member, 'drain'), enableHealth(backend, member)];
}

/** Ends a probe by replacing the server with one that is checked at the monitor's own pace. */
export function endProbe(backend: Backend, member: MemberSpec, passed: boolean): RuntimeCommand[] {
  const again = [
    setState(backend, member, 'maint'),
    deleteServer(backend, member),
    ...addServer(backend, member, null),
    setState(backend, member, 'drain'),
    enableHealth(backend, member),
  ];
  return passed ? [...again, setHealth(backend, member.id, 'up'), setState(backend, member, 'ready')] : again;
}

/** Takes a member back into the balance that was taken out of it and is still there, for its last connections. */
export function bringBack(backend: Backend, member: MemberSpec): RuntimeCommand[] {
  return [setWeight(backend, member), setState(backend, member, member.enabled ? 'ready' : 'maint')];
}

/** Replaces a server that is in the configuration by a probe. */
export function replaceByProbe(backend: Backend, member: MemberSpec, interval: number): RuntimeCommand[] {
  return [setState(backend, member, 'maint'), deleteServer(backend, member), ...startProbe(backend, member, interval)];
}

function addAtOnce(backend: Backend, member: MemberSpec): RuntimeCommand[] {
  return [
    ...addServer(backend, member, null),
    ...(isCheckedByHaproxy(backend.pool.monitor) ? [enableHealth(backend, member)] : []),
    // Until the agent's first ping is answered.
    ...(backend.pool.monitor?.type === 'PING' && backend.pool.membersStartDown
      ? [setHealth(backend, member.id, 'down')]
      : []),
    ...(member.enabled ? [setState(backend, member, 'ready')] : []),
  ];
}

/** haproxy 2.6 gives a server that is added no cookie of its own; naming the key again makes it give all of them theirs. */
function addServer(backend: Backend, member: MemberSpec, interval: number | null): RuntimeCommand[] {
  const added: RuntimeCommand = { text: addServerCommand(backend, member, interval), expect: 'registered' };
  const key = cookieKeyOf(backend);
  if (key === null) return [added];
  return [added, plain(command(fixed('set dynamic-cookie-key backend'), quote(backend.name), fixed(key)))];
}

/** Works on a member in maintenance that has no connections. */
export function deleteServer(backend: Backend, member: MemberSpec): RuntimeCommand {
  return { text: command(fixed('del server'), serverPath(backend, member.id)), expect: 'deleted' };
}

export function setState(backend: Backend, member: MemberSpec, state: ServerState): RuntimeCommand {
  return plain(command(fixed('set server'), serverPath(backend, member.id), fixed(`state ${state}`)));
}

export function setHealth(backend: Backend, memberId: string, health: 'up' | 'down'): RuntimeCommand {
  return plain(command(fixed('set server'), serverPath(backend, memberId), fixed(`health ${health}`)));
}

function setWeight(backend: Backend, member: MemberSpec): RuntimeCommand {
  return plain(command(fixed('set server'), serverPath(backend, member.id), fixed('weight'), integer(member.weight)));
}

function enableHealth(backend: Backend, member: MemberSpec): RuntimeCommand {
  return plain(command(fixed('enable health'), serverPath(backend, member.id)));
}

function plain(text: string): RuntimeCommand {
  return { text, expect: 'nothing' };
}
