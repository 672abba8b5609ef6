import { describeRows } from './describeRows';
import { TABLE } from './table';

describeRows('members', TABLE.member, { vipCidr: '127.112.0.0/24' });
