/* What the verbs share: the words before them, the table they stand in, and the few ways in which
 * they look things up and answer. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>

#include "base/error.h"
#include "base/output.h"
#include "model/store.h"
#include "reconcile/reconcile.h"

struct command {
	const char *db;
	bool json, quiet, dry_run;
	int done;   /* what a verb that is done exits with: 0, or what its command did */
	int status; /* what a verb that failed in its own way exits with; 0: by the error */
};

struct verb {
	const char *name;
	const char *aliases[2]; /* other words for it; NULL: none */
	/* 0, or a negative errno with *error filled. argv[0] is the verb. */
	int (*run)(struct command *command, int argc, char **argv, struct error *error);
	int least, most;	  /* how many words may follow */
	const char *words;	  /* which, as the usage shows them */
	const char *purpose;	  /* one line */
	const char *details;	  /* what `VERB --help` says more; NULL: nothing */
	const struct verb *table; /* of the verbs that may follow; NULL: none */
	const char *prefix;	  /* what stands before the names in that table, as "WG " does */
	int failed;		  /* the exit status when subu itself fails; 0: the ordinary ones */
	bool root;		  /* needs root */
	bool kernel;		  /* needs a kernel that is new enough, as all do that need root */
	bool raw;		  /* its words are not searched for global options */
};

/* The table of verbs, ended by one without a name. */
extern const struct verb verb_table[];

/* The row of that name or alias, or NULL. */
const struct verb *verb_find(const struct verb *table, const char *name);

/* Says that no verb of that name is in the owner's table; returns -EINVAL. */
int verb_unknown(const struct verb *owner, const char *name, struct error *error);

/* What stands before the verb's name: the prefix of the table it is in, or nothing. */
const char *verb_prefix(const struct verb *verb);

/* Opens the database, saying on a terminal when it waits for another program. */
int command_open(const struct command *command, enum store_access mode, struct store **ret,
		 struct error *error);

/* Reads a reference and finds what it means. */
int command_find_subu(struct store *store, const char *words, struct subu *ret,
		      struct error *error);
/* As command_find_subu(), and refuses one that is half made or half removed. */
int command_find_present(struct store *store, const char *words, struct subu *ret,
			 struct error *error);
int command_find_tunnel(struct store *store, const char *words, struct tunnel *ret,
			struct error *error);

/* A sentence for people on stderr: silent with --quiet. Warnings begin "subu: warning: ". */
void command_note(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void command_warn(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Counts in a warning the lines of a .conf that conf_parse() ignored; none: nothing. `what` names the
 * .conf. */
void command_warn_ignored(const struct command *command, const char *what, unsigned int count);

/* Answers for a verb that has no plan: the JSON value, or the line for people, cut at its first space
 * with --quiet; it takes the value over. */
void command_answer(const struct command *command, json_t *value, const char *line);

/* Answers --dry-run for such a verb: what it would do, "delete FILE"; it takes the value over. */
void command_would(const struct command *command, json_t *value, const char *sentence);

/* Runs reconcile_change() on the transaction that is open and answers: with --dry-run the plan;
 * otherwise the JSON value, or the line for people; it takes the value over. With --quiet the line
 * is cut at its first space: the id alone. */
int command_change(const struct command *command, const struct reconcile *reconcile, uint32_t subu,
		   json_t *value, const char *line, struct error *error);

/* Ends a transaction that concerns the database alone, and answers likewise. */
int command_commit(const struct command *command, struct store *store, json_t *value,
		   const char *line, struct error *error);

/* Answers --dry-run with a plan alone. */
void command_say_plan(const struct command *command, const struct plan *plan);

/* "12 s ago", for people, of a time in seconds since the epoch; null for 0, which is never. */
json_t *command_age(int64_t when);

/* The operations of a plan as an array of sentences. */
json_t *command_plan_json(const struct plan *plan);

/* Networks or addresses as an array of their texts. */
json_t *command_cidrs_json(const struct cidr_list *list);

/* The verbs, by family. */
#define VERB_RUN(name) int name(struct command *command, int argc, char **argv, struct error *error)
VERB_RUN(cmd_init);
VERB_RUN(cmd_create);
VERB_RUN(cmd_list);
VERB_RUN(cmd_info);
VERB_RUN(cmd_remove);
VERB_RUN(cmd_lo);
VERB_RUN(cmd_network);
VERB_RUN(cmd_attach);
VERB_RUN(cmd_detach);
VERB_RUN(cmd_steer);
VERB_RUN(cmd_exec);
VERB_RUN(cmd_option);
VERB_RUN(cmd_run);
VERB_RUN(cmd_up);
VERB_RUN(cmd_down);
VERB_RUN(cmd_status);
VERB_RUN(cmd_reconcile);
VERB_RUN(cmd_doctor);
VERB_RUN(cmd_engine);
VERB_RUN(cmd_usage);
VERB_RUN(cmd_help);
VERB_RUN(cmd_example);
VERB_RUN(cmd_version);

VERB_RUN(cmd_tunnel_global);
VERB_RUN(cmd_tunnel_create);
VERB_RUN(cmd_tunnel_import);
VERB_RUN(cmd_tunnel_server_key);
VERB_RUN(cmd_tunnel_set);
VERB_RUN(cmd_tunnel_info);
VERB_RUN(cmd_tunnel_list);
VERB_RUN(cmd_tunnel_remove);
VERB_RUN(cmd_tunnel_up);

VERB_RUN(cmd_profile_import);
VERB_RUN(cmd_profile_list);
VERB_RUN(cmd_profile_show);
VERB_RUN(cmd_profile_edit);
VERB_RUN(cmd_profile_delete);

/* Prints the help of one verb (cmd/help.c). */
void help_verb(const struct verb *verb);

#endif
