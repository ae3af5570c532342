"""What people look at: views, stories, duties, musters, evidence; and who may see what."""
