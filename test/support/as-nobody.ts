/** What happens to a user without rights. Root may do everything, so a test that is root steps down meanwhile. */

/** An id that owns nothing. */
const nobody = 65_534;

/** `what` with the rights of a user who owns nothing; whoever is not root keeps his own. */
export async function asNobody<Result>(what: () => Promise<Result>): Promise<Result> {
  const { geteuid, seteuid, getegid, setegid, getgroups, setgroups } = process;
  const isRoot = geteuid?.() === 0;
  if (!isRoot || !seteuid || !setegid || !setgroups || !getegid || !getgroups) return await what();
  const before = { group: getegid(), groups: getgroups() };
  setgroups([nobody]);
  setegid(nobody);
  seteuid(nobody);
  try {
    return await what();
  } finally {
    seteuid(0);
    setegid(before.group);
    setgroups(before.groups);
  }
}
