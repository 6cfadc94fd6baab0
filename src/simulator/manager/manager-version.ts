export type ManagerVersion = 'v2.1.55' | 'v2.5.1';
