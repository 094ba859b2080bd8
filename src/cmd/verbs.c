/* The tables of verbs: what there is to type, in the order of the help. */
#include <limits.h>

#include "cmd/cmd.h"
#include "enter/enter.h"

static const char names_details[] =
	"OWNER and NAME are 1 to 32 letters, digits, '_', '-' and '.', without '-' or '.' at the\n"
	"beginning and without '..'. The namespace ns-subu_N holds lo, down, and nothing else.\n"
	"Commands run as ACCOUNT when one is given. The id subu_N comes first in the answer.";

static const char attach_details[] =
	"Makes the device subu_M in the sub-user's namespace, down, with the tunnel's address.\n"
	"`subu network up SUBU` turns it on. Its routes stand in a table of their own, which only\n"
	"sockets bound to the device look into, as all are that are steered; the option\n"
	"default-route puts them into the main table as well. The kernel runs the tunnel where it\n"
	"has WireGuard, subu's own engine elsewhere; the option backend decides otherwise. One\n"
	"tunnel a sub-user, and one sub-user a tunnel.\n\n"
	"The sub-user is steered from then on (`subu help steer`). Where the kernel cannot do that,\n"
	"attach fails; --no-steer attaches without, and leaves the namespace as the only barrier.";

static const char steer_details[] =
	"Forced egress, the second barrier beside the namespace: programs in the kernel (eBPF) bind\n"
	"every socket of its commands to the tunnel's device, and drop what would leave by another\n"
	"one than that and lo. attach turns it on, detach off. While its tunnel is missing nothing\n"
	"leaves. `subu list` shows what the kernel says, `subu info` what was stopped.";

static const char exec_details[] =
	"The command runs in the sub-user's network namespace, without any capability, and with\n"
	"no open file but 0, 1 and 2. It looks names up in /etc/hosts and asks the tunnel's DNS,\n"
	"nobody else. It keeps the environment and the current folder. It runs as USER; else as\n"
	"the account the sub-user was created with; else as who called sudo; else as the caller.\n"
	"It cannot leave the sub-user's control group. It has no io_uring, and no sockets but UNIX,\n"
	"IP and those that ask the kernel; programs of 32 bits cannot run. Sockets of the network\n"
	"outside are refused as standard input, output and error: put a pipe between.\n\n"
	"Exit status: the command's own; 128+N when signal N ended it; 125 when subu failed, 126\n"
	"when the command cannot be run, 127 when it is not found.";

static const char reconcile_details[] =
	"For the boot, after a crash, or when something was deleted by hand. It also asks anew\n"
	"for the address of a server whose last handshake is older than three minutes. A second\n"
	"run does nothing.";

static const char engine_details[] =
	"subu starts one for each tunnel that the kernel does not run. By hand: makes the\n"
	"interface in the caller's network namespace, to be set up with wg(8), and runs in the\n"
	"background until the interface or its socket is deleted. -f (or --foreground) stays in\n"
	"the foreground.";

static const char set_details[] =
	"  endpoint HOST:PORT         where the server is; an IPv6 address in brackets\n"
	"  allowed-ips LIST           what goes through the tunnel, such as 0.0.0.0/0, ::/0\n"
	"  persistent-keepalive S     seconds between packets that keep a NAT open; 0 or off: none\n"
	"  mtu N                      of the device inside\n"
	"  dns LIST                   servers and search domains for commands inside; \"\": none\n"
	"  preshared-key FILE         a file with the key in base64; an empty file: none\n"
	"  private-key FILE           a file with our own private key in base64\n\n"
	"All of the pairs are taken or none. An attached tunnel follows at once, and keeps its\n"
	"session where WireGuard allows. endpoint, allowed-ips, persistent-keepalive and\n"
	"preshared-key are for a tunnel with one peer, as `subu WG create` makes it.";

static const char profile_edit_details[] =
	"The editor is VISUAL, else EDITOR, else vi. It works on a copy; the profile changes when\n"
	"the editor is done and the text is a good one. A text that is not is kept, and the next\n"
	"edit goes on with it.";

static const struct verb tunnel_verb_table[] = {
	{.name = "global",
	 .least = 1,
	 .most = 1,
	 .run = cmd_tunnel_global,
	 .root = true,
	 .words = "CIDR",
	 .purpose = "set the pool that local addresses come from",
	 .details =
		 "The first address handed out is .2; .1 is left to the server. The pool may be\n"
		 "replaced by one that holds all addresses handed out already."},
	{.name = "create",
	 .least = 1,
	 .most = 1,
	 .run = cmd_tunnel_create,
	 .root = true,
	 .words = "HOST:PORT",
	 .purpose = "make a tunnel to a server, with a fresh key",
	 .details =
		 "It gets the next free address of the pool. All traffic goes through it: AllowedIPs\n"
		 "0.0.0.0/0, and ::/0 in an IPv6 pool. The id WG_M comes first in the answer; the\n"
		 "public key in it is for the server."},
	{.name = "import",
	 .least = 1,
	 .most = 1,
	 .run = cmd_tunnel_import,
	 .root = true,
	 .words = "FILE",
	 .purpose = "make a tunnel from a wg-quick .conf",
	 .details =
		 "Commands in it (PostUp and the like) are never run: a warning counts them. What\n"
		 "is wrong with the file is said with its line, and nothing is made."},
	{.name = "server_provided_public_key",
	 .least = 2,
	 .most = 2,
	 .run = cmd_tunnel_server_key,
	 .root = true,
	 .words = "WG_M KEY",
	 .purpose = "say the server's public key"},
	{.name = "set",
	 .least = 3,
	 .most = INT_MAX,
	 .run = cmd_tunnel_set,
	 .root = true,
	 .words = "WG_M NAME VALUE [NAME VALUE...]",
	 .purpose = "change a tunnel (`subu help WG set`)",
	 .details = set_details},
	{.name = "info",
	 .least = 1,
	 .most = 1,
	 .aliases = {"information"},
	 .run = cmd_tunnel_info,
	 .root = true,
	 .words = "WG_M",
	 .purpose = "show all about a tunnel"},
	{.name = "list",
	 .aliases = {"ls"},
	 .run = cmd_tunnel_list,
	 .root = true,
	 .words = "",
	 .purpose = "list the tunnels"},
	{.name = "remove",
	 .least = 1,
	 .most = 1,
	 .aliases = {"rm"},
	 .run = cmd_tunnel_remove,
	 .root = true,
	 .words = "WG_M",
	 .purpose = "remove a tunnel that is not attached"},
	{.name = "up",
	 .least = 1,
	 .most = 1,
	 .run = cmd_tunnel_up,
	 .root = true,
	 .words = "WG_M",
	 .purpose = "turn its device on"},
	{.name = "down",
	 .least = 1,
	 .most = 1,
	 .run = cmd_tunnel_up,
	 .root = true,
	 .words = "WG_M",
	 .purpose = "turn its device off"},
	{},
};

static const struct verb profile_verb_table[] = {
	{.name = "import",
	 .least = 1,
	 .most = 2,
	 .run = cmd_profile_import,
	 .words = "FILE|- [NAME]",
	 .purpose = "keep a wg-quick .conf as a profile",
	 .details =
		 "The file, or standard input, is checked and kept byte for byte. Without NAME the\n"
		 "profile is called as the file without .conf. Commands in it (PostUp and the like)\n"
		 "are never run: a warning counts them. A profile that is there is not replaced."},
	{.name = "list",
	 .aliases = {"ls"},
	 .run = cmd_profile_list,
	 .words = "",
	 .purpose = "list the profiles",
	 .details = "A file that is no good profile is listed with its fault."},
	{.name = "show",
	 .least = 1,
	 .most = 2,
	 .run = cmd_profile_show,
	 .words = "NAME [--secrets]",
	 .purpose = "print a profile, without its keys",
	 .details = "--secrets prints it as it is kept."},
	{.name = "edit",
	 .least = 1,
	 .most = 1,
	 .run = cmd_profile_edit,
	 .words = "NAME",
	 .purpose = "change a profile in your editor",
	 .details = profile_edit_details},
	{.name = "delete",
	 .least = 1,
	 .most = 2,
	 .aliases = {"remove", "rm"},
	 .run = cmd_profile_delete,
	 .words = "NAME [--yes]",
	 .purpose = "delete a profile",
	 .details = "Asks first, on a terminal; --yes is the answer."},
	{},
};

static const char run_details[] =
	"The command sees lo and the tunnel and nothing else of the network; what it sends goes\n"
	"through WireGuard or nowhere. FILE is a wg-quick .conf; NAME is a profile, whose tunnel is\n"
	"joined when it is up (`subu up`) and made for this command alone when it is not. Without\n"
	"either it is the only profile there is. The command has the caller's account, folder,\n"
	"environment and terminal; with --root it believes that it is root, and has no rights either\n"
	"way. The tunnel ends with the command, and so does what that leaves running, unless --linger.\n"
	"Put global options before the word run: what follows is the command's.\n"
	"Exit status: the command's own; 128+N when signal N ended it; 125 when subu failed, 126\n"
	"when the command cannot be run, 127 when it is not found.";

static const char up_details[] =
	"Returns when the server has answered. When it has not within 10 seconds, or as many as\n"
	"--timeout says, the tunnel is taken down again and the status is 1. `subu run --profile\n"
	"PROFILE` joins it.";

static const char down_details[] =
	"Refuses while commands run inside; with --force they are ended first: SIGTERM, and SIGKILL\n"
	"two seconds later.";

static const char status_details[] =
	"A tunnel of one command is called run@ and the number of its subu. With the name of a tunnel\n"
	"it shows all about that one, with the processes inside.";

const struct verb verb_table[] = {
	{.name = "init",
	 .least = 1,
	 .most = 1,
	 .run = cmd_init,
	 .words = "TOKEN",
	 .purpose = "make the database",
	 .details = "TOKEN is 6 characters of a-z and 0-9 of your choice: it is there so that a\n"
		    "database is only made on purpose. Refuses if there is one already.",
	 .root = true},
	{.name = "create",
	 .least = 2,
	 .most = 4,
	 .run = cmd_create,
	 .words = "OWNER NAME [--user ACCOUNT]",
	 .purpose = "make a sub-user, with a namespace of its own",
	 .details = names_details,
	 .root = true},
	{.name = "list",
	 .aliases = {"ls"},
	 .run = cmd_list,
	 .words = "",
	 .purpose = "list the sub-users",
	 .details =
		 "Up/Down is what the kernel says: down when lo or the tunnel's device is, missing\n"
		 "when the namespace is not there or nobody runs the tunnel (`subu reconcile`\n"
		 "mends that).",
	 .root = true},
	{.name = "info",
	 .least = 1,
	 .most = 1,
	 .aliases = {"information", "show"},
	 .run = cmd_info,
	 .words = "SUBU",
	 .purpose = "show all about a sub-user",
	 .root = true},
	{.name = "remove",
	 .least = 1,
	 .most = 2,
	 .aliases = {"rm"},
	 .run = cmd_remove,
	 .words = "SUBU [--force]",
	 .purpose = "remove a sub-user; its tunnel is kept, detached",
	 .details =
		 "Refuses while processes run inside; --force ends them: SIGTERM, then SIGKILL to\n"
		 "those that are still there after two seconds.",
	 .root = true},
	{.name = "lo",
	 .least = 2,
	 .most = 2,
	 .run = cmd_lo,
	 .words = "up|down SUBU",
	 .purpose = "turn its loopback on or off",
	 .root = true},
	{.name = "network",
	 .least = 2,
	 .most = 2,
	 .run = cmd_network,
	 .words = "up|down SUBU",
	 .purpose = "turn lo and its tunnel's device on or off",
	 .root = true},
	{.name = "attach",
	 .least = 3,
	 .most = 4,
	 .run = cmd_attach,
	 .words = "WG SUBU WG_M [--no-steer]",
	 .purpose = "plug a tunnel into a sub-user",
	 .details = attach_details,
	 .root = true},
	{.name = "detach",
	 .least = 2,
	 .most = 3,
	 .run = cmd_detach,
	 .words = "WG SUBU [WG_M]",
	 .purpose = "unplug its tunnel; the tunnel is kept",
	 .root = true},
	{.name = "steer",
	 .least = 2,
	 .most = 2,
	 .run = cmd_steer,
	 .words = "enable|disable SUBU",
	 .purpose = "force all it sends through its tunnel, or no longer",
	 .details = steer_details,
	 .root = true},
	{.name = "exec",
	 .run = cmd_exec,
	 .words = "[-u USER] SUBU -- CMD [ARG...]",
	 .purpose = "run a command inside",
	 .details = exec_details,
	 .failed = ENTER_STATUS_FAILED,
	 .root = true,
	 .most = INT_MAX,
	 .raw = true},
	{.name = "option",
	 .least = 2,
	 .most = 4,
	 .run = cmd_option,
	 .words = "list SUBU | get SUBU [NAME] | set SUBU NAME VALUE",
	 .purpose = "look at or set its options (`subu help options`)",
	 .root = true},
	{.name = "reconcile",
	 .most = 1,
	 .run = cmd_reconcile,
	 .words = "[SUBU]",
	 .purpose = "make the kernel match the database again",
	 .details = reconcile_details,
	 .root = true},
	{.name = "doctor",
	 .most = 1,
	 .run = cmd_doctor,
	 .words = "[SUBU]",
	 .purpose = "say what is missing, left over, or could leak",
	 .details =
		 "Status 0 only when all is well. It changes nothing; `subu reconcile` mends what\n"
		 "can be mended. For one SUBU it also sends a probe inside, as a command of that\n"
		 "sub-user, which tries the ways out by name and says what stopped each: its\n"
		 "namespace, steering, or the rights it has not. \"open\" is a leak, \"note\" is not\n"
		 "a way out by itself.",
	 .root = true},
	{.name = "WG",
	 .aliases = {"wg"},
	 .least = 1,
	 .most = INT_MAX,
	 .words = "VERB ...",
	 .purpose = "make, change and see tunnels (`subu help WG`)",
	 .table = tunnel_verb_table,
	 .prefix = "WG "},
	{.name = "run",
	 .least = 1,
	 .most = INT_MAX,
	 .run = cmd_run,
	 .words = "[--profile NAME | --config FILE] [--root] [--linger] [--] CMD [ARG...]",
	 .purpose = "run one command behind one tunnel, without root",
	 .details = run_details,
	 .failed = ENTER_STATUS_FAILED,
	 .kernel = true,
	 .raw = true},
	{.name = "up",
	 .least = 1,
	 .most = 3,
	 .run = cmd_up,
	 .words = "PROFILE [--timeout SECONDS]",
	 .purpose = "bring up a tunnel that stays, for commands to join",
	 .details = up_details,
	 .kernel = true},
	{.name = "down",
	 .least = 1,
	 .most = 2,
	 .run = cmd_down,
	 .words = "PROFILE [--force]",
	 .purpose = "end such a tunnel",
	 .details = down_details,
	 .kernel = true},
	{.name = "status",
	 .most = 1,
	 .run = cmd_status,
	 .words = "[PROFILE]",
	 .purpose = "show the tunnels of run and up",
	 .details = status_details},
	{.name = "profile",
	 .least = 1,
	 .most = INT_MAX,
	 .words = "VERB ...",
	 .purpose = "keep WireGuard .conf files of your own (`subu help profile`)",
	 .table = profile_verb_table,
	 .prefix = "profile "},
	{.name = "engine",
	 .run = cmd_engine,
	 .words = "[-f] INTERFACE",
	 .purpose = "run WireGuard for one interface in userspace",
	 .details = engine_details,
	 .root = true,
	 .most = INT_MAX,
	 .raw = true},
	{.name = "usage", .run = cmd_usage, .words = "", .purpose = "show the verbs in short"},
	{.name = "help",
	 .most = 2,
	 .aliases = {"-h", "--help"},
	 .run = cmd_help,
	 .words = "[TOPIC]",
	 .purpose = "show all there is to type, or more of a topic"},
	{.name = "example",
	 .run = cmd_example,
	 .words = "",
	 .purpose = "print a whole session that works as printed"},
	{.name = "version",
	 .aliases = {"-V", "--version"},
	 .run = cmd_version,
	 .words = "",
	 .purpose = "print the version alone"},
	{},
};
