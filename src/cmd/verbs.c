/* The tables of verbs: what there is to type, in the order of the help. */
#include "cmd/cmd.h"
#include "enter/enter.h"

#define EXEC_DETAILS                                                                                  \
	"The command runs in the sub-user's network namespace, with the tunnel's DNS as its only\n"   \
	"resolver, without any capability, and with no descriptor but 0, 1 and 2. It keeps the\n"     \
	"environment and the current folder. It runs as USER; else as the account the sub-user was\n" \
	"created with; else as who called sudo; else as the caller.\n\n"                              \
	"Exit status: the command's own; 128+N when signal N ended it; 125 when subu failed, 126\n"   \
	"when the command cannot be run, 127 when it is not found."

#define SET_DETAILS                                                                                    \
	"  endpoint H:P               where the server is; a name or an address, [IPv6] in brackets\n" \
	"  allowed-ips LIST           what goes through the tunnel, such as 0.0.0.0/0, ::/0\n"         \
	"  persistent-keepalive S     seconds between packets that keep a NAT open; off or 0: none\n"  \
	"  mtu N                      of the device inside\n"                                          \
	"  dns LIST                   servers and search domains for commands inside; \"\": none\n"    \
	"  preshared-key FILE         a file with the key in base64; an empty file: none\n"            \
	"  private-key FILE           a file with our own private key in base64\n\n"                   \
	"An attached tunnel follows at once, and keeps its session where WireGuard allows."

const struct verb verb_table[] = {
	{.name = "init",
	 .run = cmd_init,
	 .words = "TOKEN",
	 .purpose = "make the database",
	 .details = "TOKEN is 6 characters of a-z and 0-9 of your choice: it is there so that a\n"
		    "database is only made on purpose. Refuses if there is one.",
	 .root = true},
	{.name = "create",
	 .run = cmd_create,
	 .words = "OWNER NAME [--user ACCOUNT]",
	 .purpose = "make a sub-user, with a network namespace of its own",
	 .details =
		 "OWNER and NAME are 1 to 32 letters, digits, '_', '-' and '.'. The namespace\n"
		 "ns-subu_N holds lo, down, and nothing else. Commands run as ACCOUNT when given.\n"
		 "Prints the id subu_N first.",
	 .root = true},
	{.name = "list",
	 .alias = "ls",
	 .run = cmd_list,
	 .words = "",
	 .purpose = "list the sub-users",
	 .details =
		 "Up/Down is what the kernel says: missing when the namespace or the device is not\n"
		 "there (`subu reconcile` makes it again).",
	 .root = true},
	{.name = "info",
	 .alias = "show",
	 .run = cmd_info,
	 .words = "SUBU",
	 .purpose = "show all about a sub-user",
	 .root = true},
	{.name = "remove",
	 .alias = "rm",
	 .run = cmd_remove,
	 .words = "SUBU [--force]",
	 .purpose = "remove a sub-user and everything of it; its tunnel is detached and kept",
	 .details = "Refuses while processes run inside; --force ends them: SIGTERM, then SIGKILL.",
	 .root = true},
	{.name = "lo",
	 .run = cmd_lo,
	 .words = "up|down SUBU",
	 .purpose = "turn its loopback on or off",
	 .root = true},
	{.name = "network",
	 .run = cmd_network,
	 .words = "up|down SUBU",
	 .purpose = "turn all its interfaces on or off",
	 .root = true},
	{.name = "attach",
	 .run = cmd_attach,
	 .words = "WG SUBU WG_M [--no-steer]",
	 .purpose = "plug a tunnel into a sub-user",
	 .details =
		 "Makes the device subu_M in its namespace, down, with the tunnel's address. Its\n"
		 "routes stand in a table of their own, for sockets bound to the device; see the\n"
		 "option default-route. The kernel runs the tunnel where it has WireGuard, subu's\n"
		 "own engine elsewhere; see the option backend. One tunnel a sub-user.",
	 .root = true},
	{.name = "detach",
	 .run = cmd_detach,
	 .words = "WG SUBU [WG_M]",
	 .purpose = "unplug its tunnel; the tunnel is kept",
	 .root = true},
	{.name = "exec",
	 .run = cmd_exec,
	 .words = "[-u USER] SUBU -- CMD [ARG...]",
	 .purpose = "run a command as the sub-user, behind its tunnel",
	 .details = EXEC_DETAILS,
	 .failed = ENTER_STATUS_FAILED,
	 .root = true,
	 .raw = true},
	{.name = "option",
	 .run = cmd_option,
	 .words = "list SUBU | get SUBU [NAME] | set SUBU NAME VALUE",
	 .purpose = "look at or set a sub-user's options (see `subu help options`)",
	 .root = true},
	{.name = "reconcile",
	 .run = cmd_reconcile,
	 .words = "[SUBU]",
	 .purpose = "make the kernel match the database again",
	 .details =
		 "At boot, after a crash, or when something was deleted by hand. Also asks anew for\n"
		 "the address of a server whose last handshake is older than three minutes. A second\n"
		 "run does nothing.",
	 .root = true},
	{.name = "doctor",
	 .run = cmd_doctor,
	 .words = "[SUBU]",
	 .purpose = "say what is missing, left over, or could leak",
	 .details = "Status 0 only when all is well. It changes nothing: `subu reconcile` does.",
	 .root = true},
	{.name = "WG",
	 .alias = "wg",
	 .run = cmd_tunnel,
	 .words = "...",
	 .purpose = "make, change and look at tunnels (see `subu help WG`)",
	 .root = true},
	{.name = "engine",
	 .run = cmd_engine,
	 .words = "[-f] INTERFACE",
	 .purpose = "run WireGuard for one interface in userspace",
	 .details =
		 "subu starts one for each tunnel that the kernel does not run. By hand: makes the\n"
		 "interface here, to be set up with wg(8), and runs until it is deleted; -f stays in\n"
		 "the foreground.",
	 .root = true,
	 .raw = true},
	{.name = "usage", .run = cmd_usage, .words = "", .purpose = "the verbs, in short"},
	{.name = "help",
	 .alias = "-h",
	 .run = cmd_help,
	 .words = "[TOPIC]",
	 .purpose = "this, or more of a topic"},
	{.name = "--help", .run = cmd_help, .words = "[TOPIC]", .purpose = NULL},
	{.name = "example",
	 .run = cmd_example,
	 .words = "",
	 .purpose = "a whole session that works as printed"},
	{.name = "version",
	 .alias = "-V",
	 .run = cmd_version,
	 .words = "",
	 .purpose = "the version alone"},
	{.name = "--version", .run = cmd_version, .words = "", .purpose = NULL},
	{.name = "information", .run = cmd_info, .words = "SUBU", .purpose = NULL, .root = true},
	{},
};

const struct verb tunnel_verb_table[] = {
	{.name = "global",
	 .run = cmd_tunnel_global,
	 .words = "CIDR",
	 .purpose = "set the pool that local addresses come from",
	 .details =
		 "The first address handed out is .2. The pool may be replaced by one that holds all\n"
		 "addresses handed out already."},
	{.name = "create",
	 .run = cmd_tunnel_create,
	 .words = "HOST:PORT",
	 .purpose = "make a tunnel to a server, with a fresh key and the next address",
	 .details =
		 "All traffic goes through it: AllowedIPs 0.0.0.0/0, and ::/0 in an IPv6 pool. Give\n"
		 "the public key it prints to the server. Prints the id WG_M first."},
	{.name = "import",
	 .run = cmd_tunnel_import,
	 .words = "FILE",
	 .purpose = "make a tunnel from a wg-quick .conf",
	 .details = "Commands in it (PostUp and the like) are never run."},
	{.name = "server_provided_public_key",
	 .run = cmd_tunnel_server_key,
	 .words = "WG_M KEY",
	 .purpose = "say the server's public key"},
	{.name = "set",
	 .run = cmd_tunnel_set,
	 .words = "WG_M NAME VALUE [NAME VALUE...]",
	 .purpose = "change a tunnel",
	 .details = SET_DETAILS},
	{.name = "info",
	 .alias = "information",
	 .run = cmd_tunnel_info,
	 .words = "WG_M",
	 .purpose = "show all about a tunnel"},
	{.name = "list",
	 .alias = "ls",
	 .run = cmd_tunnel_list,
	 .words = "",
	 .purpose = "list the tunnels"},
	{.name = "remove",
	 .alias = "rm",
	 .run = cmd_tunnel_remove,
	 .words = "WG_M",
	 .purpose = "remove a tunnel that is not attached"},
	{.name = "up", .run = cmd_tunnel_up, .words = "WG_M", .purpose = "set its device up"},
	{.name = "down", .run = cmd_tunnel_down, .words = "WG_M", .purpose = "set its device down"},
	{},
};
